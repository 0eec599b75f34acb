//! Sockets: two listeners that can be closed and opened again, with small send buffers and a
//! count of every body byte the kernel took.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::log::{Entry, Hop, Log, lock};

/// Asked of the kernel for each accepted socket (Linux doubles it). Bytes in there count as sent
/// although the client may never read them, so it is kept small.
const SEND_BUFFER_BYTES: u32 = 64 * 1024;
const BACKLOG: u32 = 1024;

/// One of the two doors.
pub struct Door {
    hop: Hop,
    address: SocketAddr,
    router: Router,
    log: Log,
    open: Mutex<Option<(JoinHandle<()>, CancellationToken)>>,
}

impl Door {
    /// Binds and serves; port 0 picks a free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn open(hop: Hop, address: SocketAddr, router: Router, log: Log) -> io::Result<Arc<Self>> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        let door = Arc::new(Self {
            hop,
            address,
            router,
            log,
            open: Mutex::default(),
        });
        door.serve(listener);
        Ok(door)
    }

    /// Where it listens, or would.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listener and breaks all its connections. New ones are refused.
    pub async fn close(&self) {
        let open = lock(&self.open).take();
        if let Some((task, end)) = open {
            end.cancel();
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again on the same port. Nothing happens when it is open.
    ///
    /// # Errors
    /// Somebody else took the port meanwhile.
    pub fn reopen(&self) -> io::Result<()> {
        if lock(&self.open).is_none() {
            self.serve(listen(self.address)?);
        }
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        let end = CancellationToken::new();
        let gate = Gate {
            hop: self.hop,
            listener,
            log: self.log.clone(),
            end: end.clone(),
        };
        let service = self.router.clone().into_make_service_with_connect_info::<Wire>();
        let task = tokio::spawn(async move {
            // Serving ends only by being aborted.
            let _ = axum::serve(gate, service).await;
        });
        *lock(&self.open) = Some((task, end));
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The listening side of a door.
pub struct Gate {
    hop: Hop,
    listener: TcpListener,
    log: Log,
    end: CancellationToken,
}

impl Listener for Gate {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        let (tcp, address) = Listener::accept(&mut self.listener).await;
        let _ = tcp.set_nodelay(true);
        let number = self.log.connections(self.hop).enter();
        let link = Arc::new(Link::new(number, self.end.child_token()));
        let gone = Box::pin(link.end.clone().cancelled_owned());
        let (hop, log) = (self.hop, self.log.clone());
        (
            Socket {
                tcp,
                link,
                gone,
                log,
                hop,
                counted: 0,
                head_end: 0,
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection as its requests see it.
pub struct Link {
    /// Running number of the connection at its listener.
    pub number: u64,
    end: CancellationToken,
    reset: AtomicBool,
    current: Mutex<Option<Arc<Entry>>>,
}

impl Link {
    /// A connection that breaks when `end` is cancelled.
    pub fn new(number: u64, end: CancellationToken) -> Self {
        Self {
            number,
            end,
            reset: AtomicBool::new(false),
            current: Mutex::default(),
        }
    }

    /// From now on the bytes written belong to this request.
    pub fn begin(&self, entry: &Arc<Entry>) {
        if let Some(before) = lock(&self.current).replace(entry.clone()) {
            before.finish();
        }
    }

    /// Body bytes of the request under way have gone.
    pub fn wrote(&self, bytes: u64) {
        if let Some(entry) = lock(&self.current).clone() {
            entry.wrote(&mut entry.writing(), bytes);
        }
    }

    /// Nothing more will go.
    pub fn finish(&self) {
        if let Some(entry) = lock(&self.current).take() {
            entry.finish();
        }
    }

    /// Breaks the connection: orderly, or with a reset.
    pub fn close(&self, reset: bool) {
        self.reset.store(reset, SeqCst);
        self.end.cancel();
    }
}

/// Hands the link to the handlers.
#[derive(Clone)]
pub struct Wire(pub Arc<Link>);

impl Connected<IncomingStream<'_, Gate>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        Self(stream.io().link.clone())
    }
}

/// A connection as the HTTP library sees it.
pub struct Socket {
    tcp: TcpStream,
    link: Arc<Link>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
    log: Log,
    hop: Hop,
    /// Number of the request whose head is being looked at.
    counted: u64,
    /// How much of the blank line that ends the head was seen; 4 is all.
    head_end: usize,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.log.connection_ends(self.hop);
        self.link.finish();
    }
}

impl Socket {
    /// An error once the connection is to break.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.gone.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        if self.link.reset.load(SeqCst) {
            let _ = self.tcp.set_zero_linger();
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Writes, and credits the body bytes among those written to the request under way.
    fn write<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]>,
        write: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(entry) = lock(&self.link.current).clone() else {
            return write(Pin::new(&mut self.tcp));
        };
        if self.counted != entry.id {
            (self.counted, self.head_end) = (entry.id, 0);
        }
        let mut count = entry.writing();
        let result = write(Pin::new(&mut self.tcp));
        if let Poll::Ready(Ok(written)) = result {
            let mut left = written;
            let mut body = 0;
            for slice in slices {
                let slice = &slice[..slice.len().min(left)];
                left -= slice.len();
                body += slice.len() - self.skip_head(slice);
            }
            if self.head_end == 4 {
                entry.wrote(&mut count, body as u64);
            }
        }
        result
    }

    /// Length of the part of `slice` that belongs to the head.
    fn skip_head(&mut self, slice: &[u8]) -> usize {
        for (at, byte) in slice.iter().enumerate() {
            if self.head_end == 4 {
                return at;
            }
            let expected = b"\r\n\r\n"[self.head_end];
            self.head_end = match *byte {
                byte if byte == expected => self.head_end + 1,
                b'\r' => 1,
                _ => 0,
            };
        }
        slice.len()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        self.write(std::iter::once(bytes), |tcp| tcp.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let written = slices.iter().map(|slice| &**slice);
        self.write(written, |tcp| tcp.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
