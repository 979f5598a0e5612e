//! Certificates that last.

use std::fs;

use vestibule_quic::{Fingerprint, Identity, IdentityError};

#[test]
fn an_identity_is_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/identity.pem");
    let first = Identity::load_or_create(&path).unwrap();
    assert_eq!(Identity::load_or_create(&path).unwrap().fingerprint(), first.fingerprint());
    assert_ne!(Identity::generate().unwrap().fingerprint(), first.fingerprint());
    let text = first.fingerprint().to_string();
    assert_eq!(text.parse::<Fingerprint>(), Ok(first.fingerprint()));
    assert!("12".parse::<Fingerprint>().is_err() && "é".repeat(32).parse::<Fingerprint>().is_err());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        Identity::load_or_create(&path).unwrap();
        assert_eq!(mode(), 0o600);
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing temporary stays");
}

#[test]
fn a_damaged_identity_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("identity.pem"), folder.path().join("other.pem"));
    Identity::load_or_create(&path).unwrap();
    Identity::load_or_create(&other).unwrap();
    let pem = fs::read_to_string(&path).unwrap();
    let certificate = pem.split("-----BEGIN PRIVATE").next().unwrap();
    let key = fs::read_to_string(&other).unwrap();
    let key = &key[key.find("-----BEGIN PRIVATE").unwrap()..];
    // Empty, cut, something else, and somebody else's key.
    for damage in [String::new(), pem[..pem.len() / 2].to_owned(), "hello".to_owned(), format!("{certificate}{key}")] {
        fs::write(&path, &damage).unwrap();
        assert!(matches!(Identity::load_or_create(&path), Err(IdentityError::Damaged { .. })), "{damage}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damage);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Identity::load_or_create(&path).unwrap_err().to_string().contains("identity.pem"));
}

#[test]
fn many_programs_that_start_at_once_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity.pem");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || Identity::load_or_create(path).unwrap().fingerprint())
        })
        .collect();
    let mut all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    all.dedup();
    assert_eq!(all.len(), 1);
}
