//! The messages that [`super::Client`] sends and understands.

/// Builders of frontend messages.
#[derive(Debug)]
pub struct Outgoing;

impl Outgoing {
    /// A StartupMessage of protocol 3.0.
    pub fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            push_cstr(&mut body, name);
            push_cstr(&mut body, value);
        }
        body.push(0);
        let mut message = length_of(&body).to_vec();
        message.extend(body);
        message
    }

    /// A Query.
    pub fn query(sql: &str) -> Vec<u8> {
        let mut body = Vec::new();
        push_cstr(&mut body, sql);
        frame(b'Q', &body)
    }

    /// Parse, Bind, Describe, Execute and Sync of the unnamed statement and portal.
    pub fn parse_bind_execute(sql: &str, params: &[&str]) -> Vec<u8> {
        let mut parse = vec![0];
        push_cstr(&mut parse, sql);
        parse.extend([0, 0]);
        let mut bind = vec![0, 0, 0, 0];
        bind.extend(u16::try_from(params.len()).unwrap_or(u16::MAX).to_be_bytes());
        for param in params {
            bind.extend(u32::try_from(param.len()).unwrap_or(u32::MAX).to_be_bytes());
            bind.extend(param.as_bytes());
        }
        bind.extend([0, 0]);
        let mut all = frame(b'P', &parse);
        all.extend(frame(b'B', &bind));
        all.extend(frame(b'D', b"P\0"));
        all.extend(frame(b'E', &[0, 0, 0, 0, 0]));
        all.extend(frame(b'S', &[]));
        all
    }

    /// Any message by its type byte and body.
    pub fn raw(kind: u8, body: &[u8]) -> Vec<u8> {
        frame(kind, body)
    }
}

fn push_cstr(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn length_of(body: &[u8]) -> [u8; 4] {
    u32::try_from(body.len() + 4).unwrap_or(u32::MAX).to_be_bytes()
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(length_of(body));
    message.extend(body);
    message
}

/// A backend message, as far as tests look into it.
#[derive(Debug, Clone)]
pub enum Message {
    /// DataRow in text form.
    Row(Vec<Option<String>>),
    /// ErrorResponse.
    #[expect(missing_docs, reason = "the names are the protocol's")]
    Error { sqlstate: String, message: String, fatal: bool },
    /// BackendKeyData.
    #[expect(missing_docs, reason = "the name is the protocol's")]
    KeyData { pid: u32 },
    /// NotificationResponse.
    #[expect(missing_docs, reason = "the names are the protocol's")]
    Notification { pid: u32, channel: String, payload: String },
    /// ReadyForQuery.
    Ready(u8),
    /// Any other, by its type byte.
    Other(u8),
}

impl Message {
    /// The first message in `bytes` and its length, or `None` while it is not complete.
    ///
    /// # Errors
    /// A sentence, when the bytes are no message.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Message, usize)>, String> {
        let Some((&[kind, a, b, c, d], _)) = bytes.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length < 4 {
            return Err(format!("message {:?} claims {length} bytes", char::from(kind)));
        }
        let Some(body) = bytes.get(5..1 + length) else { return Ok(None) };
        let message = match kind {
            b'D' => Message::Row(row(body).ok_or("a DataRow is cut short")?),
            b'E' => error(body),
            b'K' => {
                let pid = body.first_chunk::<4>().ok_or("BackendKeyData is cut short")?;
                Message::KeyData { pid: u32::from_be_bytes(*pid) }
            }
            b'A' => {
                let (pid, texts) =
                    body.split_first_chunk::<4>().ok_or("a notification is cut short")?;
                let mut texts = texts.split(|byte| *byte == 0).map(String::from_utf8_lossy);
                let mut text = || texts.next().unwrap_or_default().into_owned();
                let (channel, payload) = (text(), text());
                Message::Notification { pid: u32::from_be_bytes(*pid), channel, payload }
            }
            b'Z' => Message::Ready(*body.first().ok_or("ReadyForQuery is empty")?),
            other => Message::Other(other),
        };
        Ok(Some((message, 1 + length)))
    }
}

fn row(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut columns = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        rest = after;
        if length < 0 {
            columns.push(None);
            continue;
        }
        let (value, after) = rest.split_at_checked(length as usize)?;
        columns.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Some(columns)
}

fn error(body: &[u8]) -> Message {
    let (mut sqlstate, mut message, mut fatal) = (String::new(), String::new(), false);
    for field in body.split(|&byte| byte == 0) {
        let Some((&code, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match code {
            b'C' => sqlstate = text,
            b'M' => message = text,
            b'V' => fatal = text != "ERROR",
            _ => {}
        }
    }
    Message::Error { sqlstate, message, fatal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_not_complete_is_not_decoded() {
        let ready = frame(b'Z', b"I");
        for cut in 0..ready.len() {
            assert!(Message::decode(&ready[..cut]).unwrap().is_none(), "cut at {cut}");
        }
        assert!(matches!(Message::decode(&ready).unwrap(), Some((Message::Ready(b'I'), 6))));
    }

    #[test]
    fn a_row_that_lies_about_its_length_is_an_error() {
        let lying = frame(b'D', &[0, 1, 0, 0, 0, 9, b'x']);
        assert!(Message::decode(&lying).is_err());
    }
}
