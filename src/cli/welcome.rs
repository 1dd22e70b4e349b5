//! What a first start tells the operator, on standard error and never through the log.
//!
//! The text is made here and printed elsewhere; the secret is in it only for a terminal.

use crate::config::unit::Secret;
use crate::model::id::{BusinessId, UserId};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What was made on a new data directory.
#[derive(Debug)]
pub(crate) struct FirstStart {
    pub(crate) bootstrap_file: PathBuf,
    pub(crate) api_key: Secret,
    pub(crate) business_id: BusinessId,
    pub(crate) user_id: UserId,
}

/// The text: where the credentials are, and on a terminal an upsert to paste.
pub(crate) fn text(first: &FirstStart, address: SocketAddr, is_terminal: bool) -> String {
    let file = first.bootstrap_file.display();
    let mut text = format!("New data directory. The credentials are in {file}\n");
    if is_terminal {
        let FirstStart { api_key, business_id, user_id, .. } = first;
        // A quote in the shell's quotes: an operator may have chosen any printable key.
        let api_key = api_key.reveal().replace('\'', r"'\''");
        write!(
            text,
            r#"Paste this upsert; run it twice, and there is still one contact:

  curl -s http://{address}/api/records/client_client/upsert \
    -H 'X-API-KEY: {api_key}' \
    -H 'X-BUSINESS-ID: {business_id}' \
    -H 'X-USER-ID: {user_id}' \
    -H 'Content-Type: application/json' \
    -d '{{"lookup_value":"ada@example.com","fields":{{"first_name":"Ada","last_name":"Lovelace"}}}}'

"#
        )
        .expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::unit;

    fn shown(is_terminal: bool) -> String {
        let id = "0192f7d2-0000-7000-8000-000000000001";
        let first = FirstStart {
            bootstrap_file: PathBuf::from("snapshots/bootstrap.json"),
            api_key: unit::api_key("it's a long secret").unwrap(),
            business_id: BusinessId::parse(id).unwrap(),
            user_id: UserId::parse(id).unwrap(),
        };
        text(&first, ([127, 0, 0, 1], 7171).into(), is_terminal)
    }

    #[test]
    fn the_secret_is_shown_on_a_terminal_only() {
        let plain = shown(false);
        assert_eq!(plain, "New data directory. The credentials are in snapshots/bootstrap.json\n");
        let terminal = shown(true);
        assert!(terminal.starts_with(&plain));
        for part in [
            "curl -s http://127.0.0.1:7171/api/records/client_client/upsert \\\n",
            r"-H 'X-API-KEY: it'\''s a long secret' \",
            "-H 'X-USER-ID: 0192f7d2-0000-7000-8000-000000000001'",
            r#"-d '{"lookup_value":"ada@example.com","#,
        ] {
            assert!(terminal.contains(part), "{part} is missing in\n{terminal}");
        }
    }
}
