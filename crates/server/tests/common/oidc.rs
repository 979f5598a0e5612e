//! The npm package oidc-provider as an OpenID provider, and somebody who logs in there with a browser.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use reqwest::{Client, StatusCode, Url, redirect::Policy};

/// Where the provider sends people back to. Nothing listens there: tests bring the answer to whom they test.
pub const REDIRECT: &str = "http://127.0.0.1:1/auth/callback";

/// A provider in a process of its own, which ends with it.
pub struct Provider {
    child: Child,
    pub issuer: String,
    /// What it says besides goes somewhere: it would end otherwise.
    _said: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    /// One that tells everything in its ID tokens.
    pub fn start() -> Self {
        Self::start_with("everything")
    }

    /// One whose ID tokens say nothing but who it is: the rest is asked for.
    pub fn reserved() -> Self {
        Self::start_with("reserved")
    }

    fn start_with(manner: &str) -> Self {
        let target = || std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("peers/node/node_modules");
        let modules = std::env::var_os("VESTIBULE_NODE_MODULES").map_or_else(target, PathBuf::from);
        assert!(modules.is_dir(), "{} is not here: cargo xtask setup --peer node", modules.display());
        let node = std::env::var_os("VESTIBULE_NODE").unwrap_or_else(|| "node".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc.mjs");
        let mut command = Command::new(node);
        command.arg(script).arg(modules).arg(REDIRECT).arg(manner).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node starts");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let issuer = line.trim().strip_prefix("listening on ").expect("the provider listens").to_owned();
        Self { child, issuer, _said: said }
    }
}

/// A browser, as far as logging in needs one: it keeps cookies and shows where it is sent.
pub struct Browser {
    pub client: Client,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    /// Where it is sent, or what it is shown.
    pub async fn go(&mut self, url: &str, form: Option<&str>) -> Result<String, (StatusCode, String)> {
        self.look(url, form, "application/json").await
    }

    /// The same for somebody who takes `accept`.
    pub async fn look(&mut self, url: &str, form: Option<&str>, accept: &str) -> Result<String, (StatusCode, String)> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match form {
            Some(form) => {
                self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
            }
            None => self.client.get(url),
        };
        let request = request.header("accept", accept).header("cookie", cookies.join("; "));
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(location) = answer.headers().get("location") {
            return Ok(answer.url().join(location.to_str().unwrap()).unwrap().to_string());
        }
        Err((answer.status(), answer.text().await.unwrap()))
    }

    /// Logs in at the provider; the query that it sends back to the enabler.
    pub async fn log_in(&mut self, url: &str, name: &str) -> String {
        self.answer(url, Some(name)).await
    }

    /// Does not want to.
    pub async fn decline(&mut self, url: &str) -> String {
        self.answer(url, None).await
    }

    async fn answer(&mut self, url: &str, name: Option<&str>) -> String {
        let mut url = url.to_owned();
        for _ in 0..12 {
            if url.starts_with(REDIRECT) {
                return url.split_once('?').unwrap().1.to_owned();
            }
            let page = match self.look(&url, None, "text/html").await {
                Ok(next) => {
                    url = next;
                    continue;
                }
                Err((_, page)) => page,
            };
            // The login form, then that of consent; both can be left.
            let target = |name: &str| {
                let link = page.split(name).nth(1).expect("a form").split('"').next().unwrap().to_owned();
                Url::parse(&url).unwrap().join(&link).unwrap().to_string()
            };
            let Some(name) = name else {
                let abort = page.split("href=\"").find(|rest| rest.split('"').next().unwrap().ends_with("/abort"));
                let link = abort.expect("a way out").split('"').next().unwrap();
                url = Url::parse(&url).unwrap().join(link).unwrap().to_string();
                continue;
            };
            let prompt = if page.contains("name=\"login\"") { "login" } else { "consent" };
            let form = format!("prompt={prompt}&login={name}&password=secret");
            url = self.look(&target("action=\""), Some(&form), "text/html").await.expect("the form leads on");
        }
        panic!("no way back from the provider");
    }
}
