//! Pages with recipes: fetched for the kitchen from where a person says, on a thread beside everything else.

use std::{net::IpAddr, thread, time::Duration};

use bevy::prelude::*;
use reqwest::{Client, Url, redirect::Policy};
use thiserror::Error;
use tokio::sync::oneshot;
use vestibule_plugin_kitchen::{PageRead, ReadPage, ReadsPages, page_bytes};

/// A page is there by then, or is not read.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);
/// Pages that send on to another one, in a row.
const MOST_MOVES: usize = 5;

/// Why a page is not read, for people.
#[derive(Debug, Error)]
enum PageError {
    #[error("it is no address of a page: it begins with https://")]
    Address,
    #[error("only pages at https:// are read: what comes otherwise may be anybody's")]
    Plain,
    #[error("it sends on to a page that is not read, or too often")]
    Moved,
    #[error("its server answers {0}")]
    Status(u16),
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    #[error("it is not written in UTF-8")]
    Letters,
    #[error("{0}")]
    Unreachable(String),
    #[error("the program cannot begin another task: {0}")]
    Task(#[from] std::io::Error),
}

impl From<reqwest::Error> for PageError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_redirect() {
            return Self::Moved;
        }
        if error.is_timeout() {
            return Self::Unreachable("it takes too long".to_owned());
        }
        // The last reason of all says what it was: that a name is unknown, a certificate wrong.
        let mut reason: &dyn std::error::Error = &error;
        while let Some(deeper) = reason.source() {
            reason = deeper;
        }
        Self::Unreachable(reason.to_string())
    }
}

/// Follows [`ReadPage`].
pub(super) struct PagePlugin;

impl Plugin for PagePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(ReadsPages).init_resource::<Open>().add_systems(Update, (begin, end).chain());
    }
}

/// The page that is being read.
#[derive(Resource, Default)]
struct Open(Option<(String, Reading)>);

fn begin(mut wishes: MessageReader<ReadPage>, mut open: ResMut<Open>, mut read: MessageWriter<PageRead>) {
    for wish in wishes.read() {
        open.0 = None;
        let ReadPage::Begin(address) = wish else { continue };
        match Reading::begin(address) {
            Ok(reading) => open.0 = Some((address.clone(), reading)),
            Err(error) => {
                read.write(PageRead { address: address.clone(), page: Err(error.to_string()) });
            }
        }
    }
}

fn end(mut open: ResMut<Open>, mut read: MessageWriter<PageRead>) {
    let Some((address, page)) = open.0.as_mut().and_then(|(address, reading)| Some((address.clone(), reading.done()?)))
    else {
        return;
    };
    open.0 = None;
    read.write(PageRead { address, page: page.map_err(|error| error.to_string()) });
}

/// A page that is being read. Dropped, it is read no further.
#[derive(Debug)]
struct Reading(oneshot::Receiver<Result<String, PageError>>);

impl Reading {
    /// Begins to read a page.
    ///
    /// # Errors
    /// [`PageError`] where that cannot be begun.
    fn begin(address: &str) -> Result<Self, PageError> {
        let url = Url::parse(address).map_err(|_| PageError::Address)?;
        check(&url)?;
        let (mut done, text) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let read = move || {
            runtime.block_on(async {
                let page = tokio::select! {
                    page = page(url) => page,
                    () = done.closed() => return,
                };
                // Nobody may wait for it any more.
                let _ = done.send(page);
            });
        };
        thread::Builder::new().name("recipe page".to_owned()).spawn(read)?;
        Ok(Self(text))
    }

    /// What came of it, once.
    fn done(&mut self) -> Option<Result<String, PageError>> {
        match self.0.try_recv() {
            Ok(page) => Some(page),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(PageError::Unreachable("it broke off".to_owned()))),
        }
    }
}

/// Whether it is on this machine, where nobody listens in.
fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn check(url: &Url) -> Result<(), PageError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here(url) => Ok(()),
        "http" => Err(PageError::Plain),
        _ => Err(PageError::Address),
    }
}

async fn page(url: Url) -> Result<String, PageError> {
    // Taken already where somebody else in this process was first: the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let begun_here = is_here(&url);
    let moves = Policy::custom(move |attempt| {
        // No page elsewhere has this machine's own read.
        let may = check(attempt.url()).is_ok() && (begun_here || !is_here(attempt.url()));
        if may && attempt.previous().len() <= MOST_MOVES { attempt.follow() } else { attempt.error("not followed") }
    });
    let mut client = Client::builder().redirect(moves).connect_timeout(CONNECT).timeout(PATIENCE);
    if begun_here {
        // What is on this machine stays there.
        client = client.no_proxy();
    }
    let client = client.build()?;
    let mut answer =
        client.get(url).header("accept", "text/html, application/ld+json, application/json").send().await?;
    if !answer.status().is_success() {
        return Err(PageError::Status(answer.status().as_u16()));
    }
    let (most, mut bytes) = (page_bytes(), Vec::new());
    while let Some(part) = answer.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > most {
            return Err(PageError::TooLong(most));
        }
    }
    String::from_utf8(bytes).map_err(|_| PageError::Letters)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        time::Instant,
    };

    use super::*;

    /// Answers as many requests as there are answers, and nothing more.
    fn server(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 2_048];
                let _ = stream.read(&mut asked).unwrap();
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        base
    }

    fn answer(status: &str, more: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}", body.len())
    }

    fn read(address: &str) -> Result<String, PageError> {
        let mut reading = Reading::begin(address)?;
        let begun = Instant::now();
        loop {
            if let Some(done) = reading.done() {
                return done;
            }
            assert!(begun.elapsed() < PATIENCE * 2, "nothing came of it");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_page_is_read_where_it_is_or_has_moved() {
        let base = server(vec![answer("200 OK", "", "Soup")]);
        assert_eq!(read(&format!("{base}/soup")).unwrap(), "Soup");
        let base = server(vec![answer("302 Found", "location: /there\r\n", ""), answer("200 OK", "", "There")]);
        assert_eq!(read(&base).unwrap(), "There");
    }

    #[test]
    fn what_is_not_read_is_told_with_its_reason() {
        let why = |answers: Vec<String>| read(&server(answers)).unwrap_err().to_string();
        assert!(why(vec![answer("404 Not Found", "", "")]).contains("404"));
        assert!(why(vec![answer("302 Found", "location: http://example.com/\r\n", "")]).contains("sends on"));
        let around = answer("302 Found", "location: /again\r\n", "");
        assert!(why(vec![around; 9]).contains("sends on"));
        let long = "x".repeat(page_bytes() + 1);
        assert!(why(vec![answer("200 OK", "", &long)]).contains("longer"));
        assert!(why(vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_owned()]).len() > 3);
        for (address, said) in [
            ("http://example.com/soup", "https://"),
            ("ftp://example.com/soup", "no address"),
            ("https://", "no address"),
            ("http://127.0.0.1:1/", "refused"),
        ] {
            let why = read(address).unwrap_err().to_string();
            assert!(why.contains(said), "{address}: {why}");
        }
    }

    #[test]
    fn a_page_that_nobody_waits_for_is_read_no_further() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reading = Reading::begin(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 2_048];
        assert!(stream.read(&mut asked).unwrap() > 0);
        drop(reading);
        // Long before its patience ends: the connection is closed.
        stream.set_read_timeout(Some(PATIENCE / 2)).unwrap();
        assert_eq!(stream.read(&mut asked).unwrap(), 0);
    }

    #[test]
    fn the_kitchen_is_told_what_came_of_it() {
        let base = server(vec![answer("200 OK", "", "Soup")]);
        let mut app = App::new();
        app.add_message::<ReadPage>().add_message::<PageRead>().add_plugins(PagePlugin);
        let told = |app: &mut App, wish: ReadPage| {
            app.world_mut().write_message(wish);
            let begun = Instant::now();
            loop {
                app.update();
                let told: Vec<PageRead> = app.world_mut().resource_mut::<Messages<PageRead>>().drain().collect();
                if let Some(told) = told.into_iter().next() {
                    return told;
                }
                assert!(begun.elapsed() < PATIENCE * 2, "nothing came of it");
                thread::sleep(Duration::from_millis(5));
            }
        };
        let soup = format!("{base}/soup");
        let read = PageRead { address: soup.clone(), page: Ok("Soup".to_owned()) };
        assert_eq!(told(&mut app, ReadPage::Begin(soup)), read);
        assert!(
            told(&mut app, ReadPage::Begin("http://example.com/".to_owned())).page.unwrap_err().contains("https://")
        );
    }
}
