use tokio::io::AsyncReadExt;

use super::*;

const PREFACE_BYTES: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATH: &[u8] = b"%2Fvar%2Flib%2Fkubelet%2Fplugins_registry%2Fx-reg.sock";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Head { length: payload.len(), kind, flags, stream }.write(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn headers(path: &[u8]) -> [(&[u8], &[u8]); 3] {
    [(b":method", b"POST"), (b":path", path), (b":authority", PATH)]
}

type Fields = Vec<(String, String)>;

/// What the server sees of a stream: kind, flags, and the headers of each block.
fn seen(bytes: &[u8]) -> Vec<(u8, u8, Fields)> {
    let mut decoder = Decoder::new();
    let mut rest = bytes.strip_prefix(PREFACE_BYTES).expect("the preface");
    let mut frames = Vec::new();
    while let Some(head) = Head::read(rest).expect("a frame") {
        let payload = &rest[FRAME_HEAD..FRAME_HEAD + head.length];
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let fields = match head.kind {
            HEADERS => decoder.decode(payload).expect("a block").into_iter().map(|(n, v)| (text(n), text(v))).collect(),
            _ => Vec::new(),
        };
        frames.push((head.kind, head.flags, fields));
        rest = &rest[FRAME_HEAD + head.length..];
    }
    assert!(rest.is_empty());
    frames
}

fn wanted(path: &str) -> Fields {
    [(":method", "POST"), (":path", path), (":authority", "localhost")].map(|(n, v)| (n.to_owned(), v.to_owned())).into()
}

#[test]
fn every_requests_authority_is_replaced_however_the_bytes_are_cut() {
    let mut encoder = Encoder::new();
    let mut sent = PREFACE_BYTES.to_vec();
    sent.extend(frame(4, 0, 0, &[]));
    // Two requests: the second one's authority is an index into the table that the first one filled.
    sent.extend(frame(HEADERS, END_HEADERS, 1, &encoder.encode(headers(b"/a"))));
    sent.extend(frame(0, END_STREAM, 1, b"data that passes"));
    let block = encoder.encode(headers(b"/b"));
    let mut padded = vec![3, 0, 0, 0, 0, 16];
    padded.extend_from_slice(&block[..2]);
    padded.extend_from_slice(&[0; 3]);
    sent.extend(frame(HEADERS, PADDED | PRIORITY | END_STREAM, 3, &padded));
    sent.extend(frame(CONTINUATION, END_HEADERS, 3, &block[2..]));
    for cut in [1, 2, 7, 64, sent.len()] {
        let mut rewriter = Rewriter::default();
        let out: Vec<u8> = sent.chunks(cut).flat_map(|bytes| rewriter.rewrite(bytes).expect("well-formed")).collect();
        let frames = seen(&out);
        assert_eq!(frames[0], (4, 0, vec![]));
        assert_eq!(frames[1], (HEADERS, END_HEADERS, wanted("/a")));
        assert_eq!(frames[2], (0, END_STREAM, vec![]));
        assert_eq!(frames[3], (HEADERS, END_HEADERS | END_STREAM, wanted("/b")));
    }
}

#[test]
fn what_is_no_http2_ends_the_connection() {
    let too_large = [PREFACE_BYTES, &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]].concat();
    let no_block = [PREFACE_BYTES, &frame(HEADERS, END_HEADERS, 1, &[0xff; 9])].concat();
    let padding = [PREFACE_BYTES, &frame(HEADERS, END_HEADERS | PADDED, 1, &[200])].concat();
    let inside = [PREFACE_BYTES, &frame(HEADERS, 0, 1, &[]), &frame(0, 0, 1, b"x")].concat();
    for bytes in [too_large, no_block, padding, inside] {
        assert!(Rewriter::default().rewrite(&bytes).is_err());
    }
}

#[tokio::test]
async fn the_end_of_the_connection_is_the_end_of_the_stream() {
    let mut stream = Localhost::new(PREFACE_BYTES);
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.expect("no error");
    assert_eq!(all, PREFACE_BYTES);
}
