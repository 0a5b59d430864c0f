using System.Buffers;
using System.Buffers.Text;
using System.Text;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Writes answers. Field names and punctuation are literals, and the buffer is the thread's own: writing is synchronous from start to
/// sending, so no two answers meet in it.
/// </summary>
internal sealed class HeartJson
{
    private const int KeptByteLimit = 128 * 1024;

    [ThreadStatic]
    private static HeartJson? _current;

    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>The thread's writer, empty.</summary>
    public static HeartJson Start()
    {
        var json = _current ??= new HeartJson();
        if (json._buffer.Length > KeptByteLimit) json._buffer = new byte[4096];
        json._length = 0;
        return json;
    }

    /// <summary>Text that is JSON already.</summary>
    public HeartJson Raw(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        _length += json.Length;
        return this;
    }

    /// <summary>An identifier as a string: it holds no control characters, so only quotes and backslashes need an escape.</summary>
    public HeartJson Text(string value)
    {
        var room = Room((value.Length * 6) + 2);
        var length = 0;
        room[length++] = (byte)'"';
        var rest = value.AsSpan();
        while (true)
        {
            var plain = rest.IndexOfAny('"', '\\');
            length += Encoding.UTF8.GetBytes(plain < 0 ? rest : rest[..plain], room[length..]);
            if (plain < 0) break;
            room[length++] = (byte)'\\';
            room[length++] = (byte)rest[plain];
            rest = rest[(plain + 1)..];
        }

        room[length++] = (byte)'"';
        _length += length;
        return this;
    }

    /// <summary>A number.</summary>
    public HeartJson Number(long value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out var written);
        _length += written;
        return this;
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public HeartJson Flag(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>A heart's id.</summary>
    public HeartJson Id(HeartId id)
    {
        var room = Room(HeartId.TextLength + 2);
        room[0] = (byte)'"';
        id.WriteUtf8(room.Slice(1, HeartId.TextLength));
        room[HeartId.TextLength + 1] = (byte)'"';
        _length += HeartId.TextLength + 2;
        return this;
    }

    /// <summary>RFC 3339 in UTC with microseconds: <c>2024-06-15T10:22:33.123456Z</c>.</summary>
    public HeartJson Timestamp(long micros)
    {
        const int WithMicros = 26;
        Span<byte> text = stackalloc byte[32];
        var time = new DateTime(DateTime.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);
        Utf8Formatter.TryFormat(time, text, out _, new StandardFormat('O'));
        return Raw("\""u8).Raw(text[..WithMicros]).Raw("Z\""u8);
    }

    /// <summary>A copy of what was written.</summary>
    public byte[] ToArray() => _buffer.AsSpan(0, _length).ToArray();

    /// <summary>Answers with what was written.</summary>
    public Task SendAsync(HttpContext context, int status)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = _length;
        if (!HttpMethods.IsHead(context.Request.Method)) response.BodyWriter.Write(_buffer.AsSpan(0, _length));
        return Task.CompletedTask;
    }

    private Span<byte> Room(int length)
    {
        if (_buffer.Length - _length < length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + length));
        return _buffer.AsSpan(_length);
    }
}
