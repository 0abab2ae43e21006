//! What passes the socket: a request is one line of JSON, and its answers are one or more lines, of which the last is a
//! reply or an error. Each line carries the version.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::request::{Progress, Reply, Request};

/// The version of the language.
const VERSION: u64 = 1;

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It goes on; more follows.
    Progress(Progress),
    /// It is done.
    Reply(Reply),
    /// It failed.
    Error(Failure),
}

#[derive(Serialize, Deserialize)]
struct Line<T> {
    v: u64,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize, Deserialize)]
struct Asked {
    request: Request,
}

/// A request as it passes the socket, with its line's end.
pub(crate) fn request_line(request: Request) -> Result<String, Failure> {
    line(Asked { request })
}

/// Reads a request.
pub(crate) fn parse_request(line: &str) -> Result<Request, Failure> {
    parse::<Asked>(line).map(|asked| asked.request)
}

/// An answer as it passes the socket, with its line's end.
pub(crate) fn answer_line(answer: &Answer) -> Result<String, Failure> {
    line(answer)
}

/// Reads an answer.
pub(crate) fn parse_answer(line: &str) -> Result<Answer, Failure> {
    parse(line)
}

fn line(body: impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(&Line { v: VERSION, body });
    Ok(text.map_err(|error| Failure::other_version(&error.to_string()))? + "\n")
}

/// The version is read first: what another one says need not fit our words.
fn parse<T: DeserializeOwned>(line: &str) -> Result<T, Failure> {
    let unclear = |error: serde_json::Error| Failure::other_version(&error.to_string());
    let value: Value = serde_json::from_str(line).map_err(unclear)?;
    match value.get("v").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(other) => {
            return Err(Failure::other_version(&format!("version {VERSION} was expected, not {other}")));
        }
        None => return Err(Failure::other_version("a line without a version")),
    }
    let line: Line<T> = serde_json::from_value(value).map_err(unclear)?;
    Ok(line.body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::grant::RoleName;
    use crate::command::{group, identity, space};
    use crate::policy::PolicyName;
    use crate::preset::{Making, PresetName};

    #[test]
    fn a_request_survives_the_socket() {
        for request in [
            Request::List,
            Request::Set { document: "a".into(), path: "b.0".into(), value: json!({ "c": [1.5, null] }) },
            Request::Sync { document: None, wait: true, timeout_ms: u64::MAX },
        ] {
            let line = request_line(request.clone()).unwrap();
            assert_eq!((line.matches('\n').count(), parse_request(&line)), (1, Ok(request)));
        }
    }

    #[test]
    fn an_answer_survives_the_socket() {
        let failure = Failure::usage("a\nb", "c");
        for answer in [
            Answer::Reply(Reply::new(&json!({})).unwrap()),
            Answer::Error(failure),
            Answer::Progress(Progress::default()),
        ] {
            assert_eq!(parse_answer(&answer_line(&answer).unwrap()), Ok(answer));
        }
    }

    #[test]
    fn whatever_is_asked_is_a_request_or_refused() {
        let honest = [
            Request::List,
            Request::Set { document: "a".into(), path: "b.0".into(), value: json!({ "c": [1.5, null, "\u{1f980}"] }) },
            Request::Rewrite { document: "a".into(), base: Some("x".into()), text: "y".into() },
            Request::Join { ticket: "pistol".into(), name: None, wait: true, timeout_ms: 1 },
            Request::Devices(identity::Asked::Enter { identity: "bob".into(), signed: "00".into() }),
            Request::Groups(group::Asked::Add { group: "a".into(), who: "b".into(), role: RoleName::Admin }),
            Request::Spaces(space::Asked::Put { space: "a".into(), path: "b.c".into(), value: json!(1) }),
            Request::New(Making { policy: PolicyName::Owned, preset: Some(PresetName::Team), space: Some("a".into()) }),
        ]
        .map(|request| request_line(request).unwrap().into_bytes());
        // Knuth's generator of MMIX: enough to move bytes about.
        let mut state = 1_u64;
        let mut below = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % most
        };
        let mut understood = 0;
        for round in 0..20_000 {
            let mut line = honest[round % honest.len()].clone();
            for _ in 0..=below(3) {
                let at = below(line.len());
                match below(4) {
                    0 => line[at] = u8::try_from(below(256)).unwrap(),
                    1 => line.insert(at, b"[]{}\":,.-0e\\"[below(12)]),
                    2 => drop(line.remove(at)),
                    _ => line.extend_from_within(at..),
                }
            }
            let line = String::from_utf8_lossy(&line);
            if let Ok(request) = parse_request(&line) {
                understood += 1;
                let again = request_line(request.clone()).unwrap();
                assert_eq!(parse_request(&again), Ok(request), "{line}");
            }
        }
        assert!(understood > 100, "{understood}");
        let deep = format!(r#"{{"v":1,"request":{{"set":{{"document":"a","path":"b","value":{}"#, "[".repeat(100_000));
        assert!(parse_request(&deep).is_err());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, cause) in [
            ("", "EOF"),
            ("{}", "without a version"),
            (r#"{"v":2,"request":"list"}"#, "version 1 was expected, not 2"),
            (r#"{"v":1,"request":"fly"}"#, "unknown variant `fly`"),
            (r#"{"v":1,"request":{"read":{}}}"#, "missing field `document`"),
        ] {
            let message = parse_request(line).unwrap_err().message;
            assert!(message.contains(cause), "{line}: {message}");
        }
    }
}
