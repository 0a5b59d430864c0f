using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HeartGrains.LoadTest.Live;

/// <summary>
/// One WebSocket client (RFC 6455) that costs little: thousands of them must not take the CPU from the service they measure. It answers pings.
/// </summary>
internal sealed class LiveSocket : IDisposable
{
    private const byte Text = 0x81;
    private const byte Close = 0x8;
    private const byte Ping = 0x9;
    private const byte Pong = 0x8A;
    private const int BufferLimit = 1 << 20;
    private static readonly byte[] NoMask = [0, 0, 0, 0];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[512];
    private int _filled;

    private LiveSocket()
    {
    }

    /// <summary>Connects, from a given address of this machine.</summary>
    /// <exception cref="IOException">It was refused.</exception>
    public static async Task<LiveSocket> ConnectAsync(Uri url, IPAddress from)
    {
        var client = new LiveSocket();
        try
        {
            client._socket.Bind(new IPEndPoint(from, 0));
            await client._socket.ConnectAsync(url.DnsSafeHost, url.Port);
            await client._socket.SendAsync(Encoding.ASCII.GetBytes(
                $"GET /api/v1/live HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(Guid.NewGuid().ToByteArray())}\r\n\r\n"));
            await client.ReadHeadAsync();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Sends a text message.</summary>
    public async Task SendAsync(string message) => await SendAsync(Text, Encoding.UTF8.GetBytes(message));

    /// <summary>Reads until the connection ends; <paramref name="onMessage"/> is given each message.</summary>
    public async Task ReadAsync(Action<ReadOnlySpan<byte>> onMessage)
    {
        try
        {
            while (true)
            {
                while (TryTake(out var opcode, out var start, out var length))
                {
                    if (opcode == Close) return;
                    if (opcode == Ping) await SendAsync(Pong, _buffer.AsMemory(start, length).ToArray());
                    else onMessage(_buffer.AsSpan(start, length));
                    var end = start + length;
                    _buffer.AsSpan(end, _filled - end).CopyTo(_buffer);
                    _filled -= end;
                }

                if (!await FillAsync()) return;
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection is over.
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReadHeadAsync()
    {
        while (_buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8) < 0)
            if (!await FillAsync()) throw new IOException("The connection ended before its answer.");
        var head = Encoding.ASCII.GetString(_buffer, 0, _filled);
        if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) throw new IOException(head.Split('\r')[0]);
        var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        _buffer.AsSpan(end, _filled - end).CopyTo(_buffer);
        _filled -= end;
    }

    private async Task<bool> FillAsync()
    {
        if (_filled == _buffer.Length)
        {
            if (_filled >= BufferLimit) return false;
            Array.Resize(ref _buffer, _filled * 2);
        }

        var received = await _socket.ReceiveAsync(_buffer.AsMemory(_filled), SocketFlags.None);
        _filled += received;
        return received > 0;
    }

    /// <summary>A whole frame at the buffer's start. The server sends each message as one.</summary>
    private bool TryTake(out int opcode, out int start, out int length)
    {
        (opcode, start, length) = (0, 2, 0);
        if (_filled < 2) return false;
        opcode = _buffer[0] & 0xF;
        length = _buffer[1];
        if (length == 126)
        {
            start = 4;
            if (_filled < start) return false;
            length = BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(2));
        }
        else if (length == 127)
        {
            start = 10;
            if (_filled < start) return false;
            length = (int)BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(2));
        }

        return _filled >= start + length;
    }

    private async Task SendAsync(byte head, ReadOnlyMemory<byte> payload)
    {
        byte[] size = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        await _socket.SendAsync((byte[])[head, .. size, .. NoMask, .. payload.Span], SocketFlags.None);
    }
}
