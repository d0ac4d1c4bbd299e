//! A browser without a window, driven over its pipe in the DevTools protocol: messages in JSON, each ended by a zero.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::skipped;

/// What browsers are called that understand the protocol.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

pub(super) struct Browser {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    session: String,
    last: u64,
    events: Vec<Value>,
    /// Has it been ended?
    done: Arc<AtomicBool>,
    /// Removed when the browser is.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; `None`, said aloud, where there is none.
    pub(super) fn start() -> Option<Browser> {
        let chosen = std::env::var("SIM_BROWSER").ok();
        let names = chosen.iter().map(String::as_str).chain(NAMES.into_iter().filter(|_| chosen.is_none()));
        let is_there =
            |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
        let Some(program) = names.into_iter().find(is_there) else {
            skipped("no Chromium is here (SIM_BROWSER names one): pages are not looked at in a browser");
            return None;
        };
        // The protocol is spoken on descriptors 3 and 4. Whoever runs tests may be root, without a sandbox.
        let script = "exec \"$0\" --headless=new --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage \
                      --remote-debugging-pipe --user-data-dir=\"$1\" about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        // It makes sockets beside its profile, whose paths the system wants short.
        let profile = tempfile::Builder::new().prefix("sim-").tempdir_in("/tmp").expect("a folder");
        let mut child = Command::new("sh")
            .args(["-c", script, program])
            .arg(profile.path())
            .env("TMPDIR", "/tmp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let done = ended_in_time(child.id());
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut browser =
            Browser { child, to, from, session: String::new(), last: 0, events: Vec::new(), done, _profile: profile };
        if !browser.answers() {
            skipped("Chromium is here and does not start: pages are not looked at in a browser");
            return None;
        }
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        attached["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, &json!({}));
        }
        let size = json!({ "width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        Some(browser)
    }

    /// Does it say anything at all?
    fn answers(&mut self) -> bool {
        let asked = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.getVersion\"}\0");
        let mut byte = [0xff];
        while byte != [0] && asked.is_ok() {
            if self.from.read_exact(&mut byte).is_err() {
                return false;
            }
        }
        asked.is_ok()
    }

    fn receive(&mut self) -> Value {
        let mut bytes = Vec::new();
        let mut byte = [0];
        loop {
            self.from.read_exact(&mut byte).expect("the browser is there");
            if byte == [0] {
                return serde_json::from_slice(&bytes).expect("JSON");
            }
            bytes.push(byte[0]);
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let text = message.to_string();
        self.to.write_all(text.as_bytes()).and_then(|()| self.to.write_all(&[0])).expect("the browser is there");
        loop {
            let answer = self.receive();
            if answer["id"] == json!(self.last) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// Opens a file, and waits until it has loaded.
    pub(super) fn open(&mut self, path: &Path) {
        self.call("Page.navigate", &json!({ "url": format!("file://{}", path.display()) }));
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(loaded) {
            let event = self.receive();
            self.events.push(event);
        }
        self.events.retain(|event| !loaded(event));
    }

    /// What an expression is in the page.
    pub(super) fn value(&mut self, expression: &str) -> Value {
        let answer = self.call("Runtime.evaluate", &json!({ "expression": expression, "returnByValue": true }));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub(super) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    pub(super) fn mouse(&mut self, what: &str, place: &Value) {
        let button = if what == "mouseMoved" { "none" } else { "left" };
        let event = json!({ "type": what, "x": place["x"], "y": place["y"], "button": button, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", &event);
    }

    pub(super) fn click(&mut self, place: &Value) {
        ["mouseMoved", "mousePressed", "mouseReleased"].iter().for_each(|what| self.mouse(what, place));
    }

    pub(super) fn letters(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    pub(super) fn key(&mut self, key: &str) {
        for what in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", &json!({ "type": what, "key": key }));
        }
    }

    /// Prints the page, after it has been told this.
    pub(super) fn print(&mut self, expression: &str) {
        self.value(expression);
        let printed = self.call("Page.printToPDF", &json!({ "preferCSSPageSize": true, "printBackground": true }));
        assert!(printed["data"].as_str().is_some_and(|data| data.len() > 10_000), "an empty sheet");
    }

    /// Ends it; no page has thrown, complained, or been kept from something by its policy.
    pub(super) fn ends_without_complaint(mut self) {
        let complaints = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        let complaint = self.events.iter().find(|event| complaints.iter().any(|method| event["method"] == *method));
        assert!(complaint.is_none(), "{complaint:?}");
        self.session.clear();
        self.call("Browser.close", &json!({}));
        let _ = self.child.wait();
    }
}

/// Nobody waits for ever for a browser that says nothing: after five minutes it is killed, unless it was told to be done.
fn ended_in_time(browser: u32) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&done);
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(300));
        if !seen.load(Ordering::SeqCst) {
            let _ = Command::new("kill").args(["-9", &browser.to_string()]).status();
        }
    });
    done
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
