//! Connections of both sides against each other, over memory.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const LONG: Duration = Duration::from_secs(600);

fn pair(limit: usize) -> (Connection, Connection) {
    let (client, server) = duplex(8 << 10);
    let make = |io, side, limit| Connection::new(io, side, limit, LONG).unwrap();
    (make(client, Side::Client, 0), make(server, Side::Server, limit))
}

fn named(name: &str) -> Headers {
    vec![("streamtype".to_owned(), name.to_owned())]
}

async fn all(reader: &mut Reader) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = reader.read().await {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

#[tokio::test]
async fn streams_carry_bytes_both_ways_and_half_close() {
    let (client, mut server) = pair(16);
    let opener = client.opener();
    let echo = tokio::spawn(async move {
        while let Some(mut stream) = server.next().await {
            assert_eq!(stream.header("streamtype"), "data");
            stream.accept().await.unwrap();
            tokio::spawn(async move {
                let mut sum = 0_u64;
                while let Some(piece) = stream.reader.read().await {
                    sum += piece.iter().map(|b| u64::from(*b)).sum::<u64>();
                    stream.writer.write(piece).await.unwrap();
                }
                stream.writer.write(Bytes::from(format!("sum {sum}"))).await.unwrap();
                stream.writer.finish().await.unwrap();
            });
        }
    });
    let mut running = Vec::new();
    for number in 0..8_u8 {
        let Stream { mut reader, mut writer, .. } = opener.open(named("data")).await.unwrap();
        running.push(tokio::spawn(async move {
            let send = async {
                for _ in 0..50 {
                    writer.write(Bytes::from(vec![number; 20_000])).await.unwrap();
                }
                writer.finish().await.unwrap();
            };
            let (got, ()) = tokio::join!(all(&mut reader), send);
            let (data, word) = got.split_at(1_000_000);
            assert!(data.iter().all(|b| *b == number));
            assert_eq!(word, format!("sum {}", 1_000_000 * u64::from(number)).as_bytes());
        }));
    }
    for one in running {
        one.await.unwrap();
    }
    client.close().await;
    echo.await.unwrap();
}

#[tokio::test]
async fn the_last_word_of_one_that_has_gone_is_read() {
    let (near, mut far) = duplex(1 << 20);
    let client = Connection::new(near, Side::Client, 0, LONG).unwrap();
    let serve = tokio::spawn(async move {
        let mut request = [0; 1 << 10];
        assert!(far.read(&mut request).await.unwrap() > 0);
        let (mut encoder, mut bytes) = (Encoder::new().unwrap(), BytesMut::new());
        encoder.encode(&Frame::SynReply { id: 1, fin: false, headers: Vec::new() }, &mut bytes).unwrap();
        for _ in 0..10 {
            encoder.encode(&Frame::Data { id: 1, fin: false, bytes: vec![7; PIECE].into() }, &mut bytes).unwrap();
        }
        encoder.encode(&Frame::Data { id: 1, fin: true, bytes: "last".into() }, &mut bytes).unwrap();
        far.write_all(&bytes).await.unwrap();
    });
    let Stream { mut reader, mut writer, .. } = client.opener().open(named("x")).await.unwrap();
    serve.await.unwrap();
    // It hears nothing any more; more is on its way from it than the reader's queue takes.
    while writer.write(Bytes::from("x")).await.is_ok() {}
    let got = all(&mut reader).await;
    assert_eq!((got.len(), got.ends_with(b"last")), (10 * PIECE + 4, true));
}

#[tokio::test]
async fn what_was_written_arrives_though_the_other_side_still_writes() {
    let (client, mut server) = pair(16);
    let opener = client.opener();
    let serve = tokio::spawn(async move {
        let mut stream = server.next().await.unwrap();
        stream.accept().await.unwrap();
        stream.writer.write(Bytes::from(vec![7; 200_000])).await.unwrap();
        stream.writer.finish().await.unwrap();
        drop(stream);
        server.close().await;
    });
    let Stream { mut reader, mut writer, .. } = opener.open(named("x")).await.unwrap();
    let flood = async { while writer.write(Bytes::from(vec![1; 1000])).await.is_ok() {} };
    let read = async {
        let got = all(&mut reader).await;
        client.close().await;
        got
    };
    let (got, ()) = tokio::join!(read, flood);
    assert_eq!(got.len(), 200_000);
    serve.await.unwrap();
}

#[tokio::test]
async fn str_11_streams_are_limited_and_resets_give_their_place_back() {
    let (client, mut server) = pair(3);
    let opener = client.opener();
    let (tell, mut told) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Some(stream) = server.next().await {
            stream.accept().await.unwrap();
            tell.send(stream).await.unwrap();
        }
    });
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(opener.open(named("x")).await.unwrap());
    }
    assert!(opener.open(named("x")).await.unwrap_err().is(Kind::Unavailable));
    open.pop();
    let mut theirs = Vec::new();
    for _ in 0..3 {
        theirs.push(told.recv().await.unwrap());
    }
    let last = theirs.last_mut().unwrap();
    assert_eq!(last.reader.read().await, None);
    assert!(last.reader.was_reset());
    theirs.pop();
    let again = opener.open(named("x")).await;
    assert!(again.is_ok(), "{again:?}");
}

#[tokio::test]
async fn str_11_noise_ends_the_connection() {
    for noise in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x80\x09\x00\x01\x00\x00\x00\x00", b"\x80\x03\x00\x01\x00\xff\xff\xff"]
    {
        let (mut client, server) = duplex(1 << 10);
        let mut server = Connection::new(server, Side::Server, 4, LONG).unwrap();
        client.write_all(noise).await.unwrap();
        client.shutdown().await.unwrap();
        assert!(server.next().await.is_none());
        server.broken().cancelled().await;
    }
}

#[tokio::test]
async fn str_07_a_silent_connection_ends() {
    let (client, server): (DuplexStream, _) = duplex(1 << 10);
    let mut server = Connection::new(server, Side::Server, 4, Duration::from_millis(50)).unwrap();
    assert!(server.next().await.is_none());
    drop(client);
}

#[tokio::test]
async fn str_08_a_reader_that_stops_holds_the_writer_up() {
    let (client, mut server) = pair(4);
    let opener = client.opener();
    let accept = async {
        let stream = server.next().await.unwrap();
        stream.accept().await.unwrap();
        stream
    };
    let (unread, theirs) = tokio::join!(opener.open(named("x")), accept);
    let Stream { reader, mut writer, .. } = theirs;
    let (mut sent, piece) = (0, Bytes::from(vec![0; PIECE]));
    while tokio::time::timeout(Duration::from_millis(500), writer.write(piece.clone())).await.is_ok() {
        sent += PIECE;
    }
    assert!(sent <= 4 * QUEUED * PIECE, "{sent} bytes went out and nobody read");
    drop((reader, unread));
}
