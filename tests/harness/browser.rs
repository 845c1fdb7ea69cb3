//! Chromium, driven by its DevTools protocol over a pipe, and axe-core to look for what keeps people
//! from using a page.

use super::{missing, skip};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// The version of axe-core: findings change with it.
const AXE: &str = "axe-core@4.14.1";

/// It is fetched once.
static FETCHING: Mutex<()> = Mutex::new(());

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Value,
    next: u64,
    /// Addresses that the page asked for, and what the browser complained about.
    asked: Vec<String>,
    complaints: Vec<String>,
}

/// How a page is shown.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
}

impl Browser {
    /// Starts a browser with an empty profile in `folder`. Without one the test is skipped, with a
    /// message.
    pub fn start(test: &str, folder: &Path) -> Option<Browser> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let has =
            |name: &str| Command::new(name).arg("--version").stdout(Stdio::null()).status().is_ok();
        let Some(name) = names.into_iter().find(|name| has(name)) else {
            missing(test, "there is no chromium");
            return None;
        };
        // The browser reads commands from descriptor 3 and answers on 4.
        let line = "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null";
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let mut child = Command::new("sh")
            .args(["-c", line, name, "--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                &profile,
                "about:blank",
            ])
            .env("HOME", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut browser = Browser {
            child,
            to,
            from: BufReader::new(from),
            session: Value::Null,
            next: 0,
            asked: Vec::new(),
            complaints: Vec::new(),
        };
        let target =
            browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].clone();
        for domain in ["Page.enable", "Network.enable", "Log.enable", "Runtime.enable"] {
            browser.call(domain, json!({}));
        }
        Some(browser)
    }

    /// Shows a file, and returns when it is loaded.
    pub fn show(&mut self, path: &Path, screen: Screen) {
        self.open(&format!("file://{}", path.display()), screen);
    }

    /// Shows an address, and returns when it is loaded.
    pub fn open(&mut self, url: &str, screen: Screen) {
        let Screen { width, height, is_dark } = screen;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features);
        self.call("Page.navigate", json!({"url": url}));
        self.wait();
    }

    /// Waits until a page is loaded.
    pub fn wait(&mut self) {
        let loaded = "new Promise(done => document.readyState === 'complete' ? done(1) \
                      : addEventListener('load', () => done(1)))";
        self.evaluate(loaded);
        assert!(self.evaluate("document.title").as_str().is_some_and(|title| !title.is_empty()));
    }

    /// What a script returns, JSON at most.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let call = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", call);
        assert!(answer["exceptionDetails"].is_null(), "{answer:#}");
        answer["result"]["value"].clone()
    }

    /// What axe-core finds, one line each.
    pub fn findings(&mut self, axe: &str) -> Vec<String> {
        self.evaluate(&format!("{axe}; null"));
        let run = "axe.run(document).then(found => found.violations.map(it => it.id + ': ' + it.help + ' ' \
                   + it.nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' ' \
                   + node.failureSummary).join(' | ')))";
        let found = self.evaluate(run);
        found.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_string()).collect()
    }

    /// Saves a picture of the whole page.
    pub fn picture(&mut self, path: &Path) {
        let call = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.call("Page.captureScreenshot", call);
        let bytes = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            picture["data"].as_str().unwrap(),
        );
        std::fs::write(path, bytes.unwrap()).unwrap();
    }

    /// What was asked for since the last call, and what the browser complained about.
    pub fn take_traffic(&mut self) -> (Vec<String>, Vec<String>) {
        (std::mem::take(&mut self.asked), std::mem::take(&mut self.complaints))
    }

    /// Calls a method and returns its result; what happens meanwhile is noted.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(b"\0").unwrap();
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).unwrap();
            assert_eq!(bytes.pop(), Some(0), "the browser ended");
            let message: Value = serde_json::from_slice(&bytes).unwrap();
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {message:#}");
                return message["result"].clone();
            }
            let params = &message["params"];
            match message["method"].as_str() {
                Some("Network.requestWillBeSent") => {
                    self.asked
                        .push(params["request"]["url"].as_str().unwrap_or_default().to_string());
                }
                Some("Log.entryAdded") => self.complaints.push(params["entry"]["text"].to_string()),
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.child.wait();
    }
}

/// The source of axe-core, from npm. Without it the test is skipped, with a message.
pub fn axe(test: &str) -> Option<String> {
    let _fetched = FETCHING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe-core");
    let source = place.join("package/axe.min.js");
    if !source.exists() {
        std::fs::create_dir_all(&place).unwrap();
        let line = format!("npm pack --silent {AXE} && tar -xzf axe-core-*.tgz package/axe.min.js");
        let status = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&place)
            .stdin(Stdio::null())
            .output();
        if !status.is_ok_and(|output| output.status.success()) {
            missing(test, &format!("{AXE} cannot be had from npm"));
            return None;
        }
    }
    std::fs::read_to_string(source).inspect_err(|error| skip(test, &error.to_string())).ok()
}
