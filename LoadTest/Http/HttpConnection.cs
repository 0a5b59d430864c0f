using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace HeartGrains.LoadTest.Http;

/// <summary>
/// One keep-alive HTTP/1.1 connection that carries one request at a time and reconnects by itself. It exists because the
/// standard client costs more than the service it would measure. Requests are bytes made ready by the caller.
/// </summary>
public sealed class HttpConnection(Uri url, TimeSpan timeout, IPAddress? from = null) : IDisposable
{
    private const int BufferLimit = 1 << 20;
    private const long Idle = 0;
    private const long Expired = -1;

    private byte[] _buffer = new byte[2048];
    private Socket? _socket;
    private long _deadline = Idle;

    /// <summary>Whom it talks to.</summary>
    public Uri Url => url;

    /// <summary>Sends <paramref name="request"/> and waits for the whole answer. Never retries, never throws for the network's faults.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpAnswer> ExchangeAsync(ReadOnlyMemory<byte> request)
    {
        Interlocked.Exchange(ref _deadline, Environment.TickCount64 + (long)timeout.TotalMilliseconds);
        var connected = _socket is not null;
        var answer = new ParsedAnswer(ParseState.Incomplete);
        try
        {
            if (!connected)
            {
                _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                if (from is not null) _socket.Bind(new IPEndPoint(from, 0));
                await _socket.ConnectAsync(url.DnsSafeHost, url.Port);
                connected = true;
            }
            for (var sent = 0; sent < request.Length;) sent += await _socket!.SendAsync(request[sent..], SocketFlags.None);
            answer = await ReceiveAsync(_socket!);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Told below: what matters is whether anything was sent and whether time ran out.
        }

        var expired = Interlocked.Exchange(ref _deadline, Idle) == Expired;
        if (expired || !answer.KeepAlive) Disconnect();
        if (answer.State == ParseState.Complete)
            return new(HttpExchange.Answered, answer.Status, _buffer.AsMemory(answer.BodyStart, answer.BodyLength));
        if (!connected) return new(HttpExchange.NotConnected);
        return new(expired ? HttpExchange.TimedOut : HttpExchange.Broken);
    }

    /// <summary>
    /// Ends an exchange that is over its time. Called every so often by whoever owns the connections: one clock for all of them
    /// is cheaper than a timer for each request.
    /// </summary>
    public void ExpireIfOverdue()
    {
        var socket = _socket;
        var deadline = Interlocked.Read(ref _deadline);
        if (deadline > Idle && Environment.TickCount64 > deadline && Interlocked.CompareExchange(ref _deadline, Expired, deadline) == deadline)
            socket?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => Disconnect();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ParsedAnswer> ReceiveAsync(Socket socket)
    {
        for (var filled = 0; ;)
        {
            var received = await socket.ReceiveAsync(_buffer.AsMemory(filled), SocketFlags.None);
            filled += received;
            var answer = HttpAnswerParser.Parse(_buffer.AsSpan(0, filled), ended: received == 0);
            if (answer.State != ParseState.Incomplete || received == 0) return answer;
            if (filled < _buffer.Length) continue;
            if (filled >= BufferLimit) return new(ParseState.Malformed);
            Array.Resize(ref _buffer, filled * 2);
        }
    }

    private void Disconnect()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
