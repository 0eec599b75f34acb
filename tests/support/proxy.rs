//! Proxies on the loopback interface: HTTP (absolute form and CONNECT) and SOCKS5, with or without a login.
//!
//! Every name leads to 127.0.0.1 there, so that a host that exists nowhere shows who resolved it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// User and password that a guarded proxy takes.
pub const LOGIN: (&str, &str) = ("ada", "pass word");

/// What a proxy speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    Http,
    Socks5,
}

/// A running proxy; it ends with the test's runtime.
pub struct Proxy {
    pub port: u16,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub async fn start(speech: Speech, guarded: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let targets: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = targets.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    // A client that hangs up is no fault of the proxy.
                    let _ = match speech {
                        Speech::Http => http(client, guarded, &seen).await,
                        Speech::Socks5 => socks5(client, guarded, &seen).await,
                    };
                });
            }
        });
        Self { port, targets }
    }

    /// Hosts that were asked for, as the client named them.
    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().expect("no panic").clone()
    }
}

fn remember(seen: &Mutex<Vec<String>>, host: &str) {
    seen.lock().expect("no panic").push(host.to_owned());
}

async fn http(client: TcpStream, guarded: bool, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", LOGIN.0, LOGIN.1));
    let allowed = !guarded
        || head.lines().any(|line| {
            line.to_ascii_lowercase().starts_with("proxy-authorization:") && line.ends_with(&login)
        });
    let url = head.split(' ').nth(1).unwrap_or_default();
    let authority = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    remember(seen, host);
    if !allowed {
        let answer =
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return client.get_mut().write_all(answer.as_bytes()).await;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap_or(80))).await?;
    if head.starts_with("CONNECT ") {
        client.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        // One request a connection keeps this short: the next one comes through here again.
        let path = url.trim_start_matches("http://").trim_start_matches(authority);
        let rest = head.split_once("\r\n").map_or("", |(_, rest)| rest);
        let kept: String = rest
            .split("\r\n")
            .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-") && !line.is_empty())
            .map(|line| format!("{line}\r\n"))
            .collect();
        let request = format!("GET {path} HTTP/1.1\r\n{kept}connection: close\r\n\r\n");
        server.write_all(request.as_bytes()).await?;
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// RFC 1928, and RFC 1929 for the login.
async fn socks5(mut client: TcpStream, guarded: bool, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let refused = || std::io::Error::other("refused");
    let [_version, methods] = [client.read_u8().await?, client.read_u8().await?];
    let mut offered = vec![0; usize::from(methods)];
    client.read_exact(&mut offered).await?;
    let method = if guarded { 2 } else { 0 };
    if !offered.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Err(refused());
    }
    client.write_all(&[5, method]).await?;
    if guarded {
        client.read_u8().await?;
        let user = text(&mut client).await?;
        let password = text(&mut client).await?;
        let good = (user.as_str(), password.as_str()) == LOGIN;
        client.write_all(&[1, u8::from(!good)]).await?;
        if !good {
            return Err(refused());
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => {
            let mut ip = [0; 4];
            client.read_exact(&mut ip).await?;
            std::net::Ipv4Addr::from(ip).to_string()
        }
        3 => text(&mut client).await?,
        _ => return Err(refused()),
    };
    let port = client.read_u16().await?;
    remember(seen, &host);
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// A text behind its length.
async fn text(client: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
