//! Tokens in files: one for whoever gets it, and those that the person got, to be shown to the enabler anew.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use vestibule_twin::{HeldToken, KnownLending, Notify, SignedToken, TokenText, Urgency, model::TwinSelector};

use super::LoanDesk;

/// Where tokens are kept as files. Whoever can read them can do what they give: nobody else may.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub struct TokenFiles {
    /// The folder for those that the person hands over: one that they see.
    pub outgoing: PathBuf,
    /// The file for those that they got.
    pub held: PathBuf,
    /// What `~` stands for in the names of files.
    pub home: Option<PathBuf>,
}

/// Bytes of a file that may hold a token: more than any has.
const MOST_BYTES: u64 = 16 * 1024;
/// Names that are tried for a file, so that none is overwritten.
const MOST_TRIES: u32 = 1_000;
/// Tokens that are kept: far more than a connection bears.
const MOST_HELD: usize = 64;

/// What a person gave: a token, or the name of a file with one.
pub(super) fn given(text: &str, files: Option<&TokenFiles>) -> Result<TokenText, String> {
    let text = text.trim().trim_matches(['"', '\'']);
    let path = text.strip_prefix("file://").unwrap_or(text);
    // A token has none of these.
    if !path.contains(['/', '\\', '.', '~', ' ']) {
        return Ok(TokenText(text.to_owned()));
    }
    let home = files.and_then(|files| files.home.as_ref());
    let path = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    };
    read(&path).map_err(|why| format!("{}: {why}", path.display()))
}

fn read(path: &Path) -> Result<TokenText, String> {
    let words = |error: io::Error| error.to_string();
    // Asked before it is opened: a pipe would let the whole world wait.
    if !fs::metadata(path).map_err(words)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(words)?;
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|_| "it holds no token".to_owned())?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    match lines.as_slice() {
        [token] if !token.contains(' ') && read as u64 <= MOST_BYTES => Ok(TokenText((*token).to_owned())),
        _ => Err("it holds no token: there is one line in the file of a token, and nothing else".to_owned()),
    }
}

/// A new file that nobody else can read.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What a token's file is called: what it is about and whom it is for.
fn name(signed: &SignedToken) -> String {
    let twin = signed.limits.twins.iter().flatten().find_map(|selector| match selector {
        TwinSelector::Twin(twin) => Some(twin.local().to_owned()),
        _ => None,
    });
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
    };
    format!("{}-for-{}", plain(&twin.unwrap_or_else(|| "things".to_owned())), plain(&signed.guest))
}

/// Writes a token into a new file.
pub(super) fn hand_out(folder: &Path, signed: &SignedToken) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let name = name(signed);
    for number in 1..=MOST_TRIES {
        let again = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{name}{again}.token"));
        match create(&path) {
            Ok(mut file) => {
                writeln!(file, "{}", signed.text.0)?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is full of such files", folder.display())))
}

/// The file of tokens that the person got.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    token: Vec<KeptToken>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct KeptToken {
    /// Tokens are of one enabler only.
    enabler: String,
    text: String,
}

fn kept(known: &KnownLending) -> Vec<KeptToken> {
    let all = known.held.iter().take(MOST_HELD);
    all.map(|held| KeptToken { enabler: held.enabler.clone(), text: held.text.0.clone() }).collect()
}

fn write(path: &Path, token: Vec<KeptToken>) -> io::Result<()> {
    let text = toml::to_string(&Kept { token }).map_err(io::Error::other)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What a crash left there.
    let _ = fs::remove_file(&beside);
    let mut file = create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Reads what was kept.
pub(crate) fn begin(
    files: Option<Res<TokenFiles>>,
    mut known: ResMut<KnownLending>,
    mut notices: MessageWriter<Notify>,
) {
    let Some(files) = files else { return };
    let problem = match fs::read_to_string(&files.held) {
        Ok(text) => match toml::from_str::<Kept>(&text) {
            Ok(kept) => {
                let held = |KeptToken { enabler, text }| HeldToken {
                    enabler,
                    text: TokenText(text),
                    token: None,
                    asked: false,
                    again: false,
                };
                known.held.extend(kept.token.into_iter().take(MOST_HELD).map(held));
                return;
            }
            Err(error) => error.message().lines().next().unwrap_or_default().to_owned(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => error.to_string(),
    };
    let title = "What others lent you could not be read".to_owned();
    let text = format!("{}: {problem}. Give the tokens once more.", files.held.display());
    notices.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
}

/// Writes what was signed for somebody, and keeps what the person got.
pub(crate) fn keep(
    files: Option<Res<TokenFiles>>,
    known: Res<KnownLending>,
    mut desk: ResMut<LoanDesk>,
    mut before: Local<Option<Vec<KeptToken>>>,
    mut notices: MessageWriter<Notify>,
) {
    let Some(files) = files.filter(|_| known.is_changed()) else { return };
    if let Some(signed) = &known.signed
        && desk.written.as_ref().is_none_or(|(text, _)| *text != signed.text)
    {
        let written = hand_out(&files.outgoing, signed);
        let written = written.map_err(|error| format!("{}: {error}", files.outgoing.display()));
        desk.written = Some((signed.text.clone(), written));
    }
    let now = kept(&known);
    // The first is what was read.
    let Some(before) = before.replace(now.clone()) else { return };
    if before != now
        && let Err(error) = write(&files.held, now)
    {
        let title = "What others lent you could not be kept".to_owned();
        let text = format!("{}: {error}. Give the tokens once more after the next start.", files.held.display());
        notices.write(Notify { urgency: Urgency::Problem, title, text, twin: None });
    }
}

#[cfg(test)]
mod tests {
    use vestibule_twin::model::{Limits, TwinId};

    use super::*;

    fn signed() -> SignedToken {
        let twins = Some(vec![TwinSelector::Twin(TwinId::new("home/front_door").unwrap())]);
        let (guest, text) = ("bob.b".to_owned(), TokenText("EoQBabc-_=".to_owned()));
        SignedToken { guest, limits: Limits { twins, ..Limits::default() }, text }
    }

    #[test]
    fn a_token_goes_through_a_file_that_nobody_else_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let outgoing = folder.path().join("deep/tokens");
        let path = hand_out(&outgoing, &signed()).unwrap();
        assert_eq!(path.file_name().unwrap(), "front_door-for-bob_b.token");
        let second = hand_out(&outgoing, &signed()).unwrap();
        assert_eq!(second.file_name().unwrap(), "front_door-for-bob_b-2.token", "none is overwritten");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o077, 0);
        }
        let home = Some(outgoing);
        let files = TokenFiles { outgoing: PathBuf::new(), held: PathBuf::new(), home };
        for text in
            [path.display().to_string(), format!(" \"{}\" ", path.display()), format!("file://{}", path.display())]
        {
            assert_eq!(given(&text, None), Ok(signed().text), "{text}");
        }
        assert_eq!(given("~/front_door-for-bob_b.token", Some(&files)), Ok(signed().text));
        assert_eq!(given(" EoQBabc-_= ", None), Ok(signed().text));
    }

    #[test]
    fn what_is_no_token_says_so_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path.display().to_string()
        };
        let long = vec![b'a'; 1_000_000];
        let cases = [
            file("empty", b""),
            file("two", b"a\nb\n"),
            file("prose", b"this is no token\n"),
            file("picture", &[0xff, 0xd8, 0xff]),
            file("long", &long),
            folder.path().display().to_string(),
            "/nowhere/at.all".to_owned(),
            "/dev/zero".to_owned(),
        ];
        for path in cases {
            let why = given(&path, None).unwrap_err();
            assert!(why.starts_with(&path), "{path} {why}");
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/borrowed.toml");
        let tokens = vec![KeptToken { enabler: "this computer".to_owned(), text: "EoQB".to_owned() }];
        write(&path, tokens.clone()).unwrap();
        write(&path, tokens.clone()).unwrap();
        let read: Kept = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read.token, tokens);
    }
}
