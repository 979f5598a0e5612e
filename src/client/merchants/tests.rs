use super::*;

/// Says where it listens, and lives until its standard input ends; says why and ends where the folder has a `no`, and
/// where its `taken` says that somebody else listens there.
const PRETENDS: &str = r#"#!/bin/sh
role=$1; listen=$4; data=$8
[ "$role" = probe ] && exit 0
mkdir -p "$data"
echo "$listen" >> "$data/starts"
if [ -e "$data/taken" ] && [ "$listen" = "$(cat "$data/taken")" ]; then exit 1; fi
if [ -e "$data/no" ]; then echo "vestibule-commerce: the folder has a no in it" >&2; exit 1; fi
case "$listen" in *:0) listen=127.0.0.1:40123;; esac
echo "listening on http://$listen"
echo $$ > "$data/pid"
while read -r line; do :; done
echo "ended in order" >> "$data/starts"
"#;

fn setup(folder: &Path) -> Setup {
    let program = folder.join("pretends");
    fs::write(&program, PRETENDS).unwrap();
    let mut rights = fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
    fs::set_permissions(&program, rights).unwrap();
    // A process that another test began while this was written keeps it open until it is what it shall be.
    let probe = || std::process::Command::new(&program).arg("probe").status();
    while probe().is_err_and(|error| error.kind() == io::ErrorKind::ExecutableFileBusy) {}
    Setup { program, folder: folder.to_owned(), speed: 60 }
}

async fn heard(merchants: &mut Merchants) -> News {
    timeout(Duration::from_secs(60), merchants.news.recv()).await.expect("news come").expect("somebody tells")
}

fn starts(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("shop/starts")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const SHOP: Ours = OURS[0];

#[tokio::test]
async fn it_is_found_where_it_was_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let mut merchants = Merchants::start(&setup(folder.path()), &[SHOP]).await;
        let bound = merchants.bound();
        assert_eq!(bound[0].system.as_str(), "shop");
        assert_eq!(bound[0].profile.as_str(), "http://127.0.0.1:40123/.well-known/ucp");
        assert_eq!(merchants.news(), None);
        merchants.stop().await;
        assert_eq!(starts(folder.path()).len(), 2 * (round + 1));
    }
    let expected = ["127.0.0.1:0", "ended in order", "127.0.0.1:40123", "ended in order"];
    assert_eq!(starts(folder.path()), expected);
}

#[tokio::test]
async fn one_that_dies_is_told_and_started_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut merchants = Merchants::start(&setup(folder.path()), &[SHOP]).await;
    // It writes its number after it says where it listens.
    let pid = loop {
        let pid = fs::read_to_string(folder.path().join("shop/pid")).unwrap_or_default();
        if pid.ends_with('\n') {
            break pid;
        }
        tokio::task::yield_now().await;
    };
    std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    let News::Away(who, why) = heard(&mut merchants).await else { panic!("it is away") };
    assert!(who == SHOP && why.contains("signal"), "{why}");
    assert_eq!(heard(&mut merchants).await, News::Back(SHOP));
    assert_eq!(starts(folder.path()), ["127.0.0.1:0", "127.0.0.1:40123"]);
    merchants.stop().await;
}

#[tokio::test]
async fn one_that_cannot_start_says_why_once_and_comes_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/no"), "").unwrap();
    let mut merchants = Merchants::start(&setup(folder.path()), &[SHOP]).await;
    let expected = merchants.bound()[0].profile.authority().to_owned();
    let why = "the folder has a no in it".to_owned();
    assert_eq!(heard(&mut merchants).await, News::Away(SHOP, why));
    while starts(folder.path()).len() < 3 {
        sleep(Duration::from_millis(5)).await;
    }
    fs::remove_file(folder.path().join("shop/no")).unwrap();
    assert_eq!(heard(&mut merchants).await, News::Back(SHOP), "the same reason again is no news");
    assert!(starts(folder.path())[1..].iter().all(|at| *at == expected), "it is found where it was said to be");
    merchants.stop().await;
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup { program: folder.path().join("nothing"), ..setup(folder.path()) };
    let mut merchants = Merchants::start(&setup, &OURS).await;
    assert_eq!(merchants.bound().len(), 3, "the enabler knows where they will be");
    let News::Away(_, why) = heard(&mut merchants).await else { panic!("it is away") };
    assert!(why.contains("nothing cannot be started"), "{why}");
    merchants.stop().await;
}

#[tokio::test]
async fn where_somebody_else_listens_by_now_it_listens_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    fs::create_dir_all(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/port"), port.to_string()).unwrap();
    fs::write(folder.path().join("shop/taken"), format!("127.0.0.1:{port}")).unwrap();
    let merchants = Merchants::start(&setup(folder.path()), &[SHOP]).await;
    assert_eq!(merchants.bound()[0].profile.authority(), "127.0.0.1:40123");
    assert_eq!(kept_port(&folder.path().join("shop")), Some(40123));
    merchants.stop().await;
}

#[tokio::test]
async fn only_the_last_line_is_remembered() {
    let said = Said::default();
    let text = format!("{}\nvestibule-commerce: the folder /x: no\n\n", "x".repeat(10_000));
    said.clone().hear(text.as_bytes()).await;
    assert_eq!(said.last().as_deref(), Some("the folder /x: no"));
    assert!(said.0.lock().unwrap().len() <= LAST_WORDS);
    said.clone().hear(&b"stopping\n"[..]).await;
    assert_eq!(said.last().as_deref(), Some("the folder /x: no"), "that is why");
    assert_eq!(Said::default().last(), None);
}
