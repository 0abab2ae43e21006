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
