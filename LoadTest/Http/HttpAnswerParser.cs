using System.Buffers.Text;

namespace HeartGrains.LoadTest.Http;

/// <summary>What a buffer holds so far.</summary>
/// <param name="State">Whether the answer is whole.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="BodyStart">Where the body starts in the buffer.</param>
/// <param name="BodyLength">The body's length in bytes, without its framing.</param>
/// <param name="KeepAlive">The connection can carry another request.</param>
public readonly record struct ParsedAnswer(ParseState State, int Status = 0, int BodyStart = 0, int BodyLength = 0, bool KeepAlive = false);

/// <summary>How far a buffer has come.</summary>
public enum ParseState : byte
{
    /// <summary>More bytes are needed.</summary>
    Incomplete = 0,

    /// <summary>The answer is whole.</summary>
    Complete = 1,

    /// <summary>This is not an HTTP/1.x answer.</summary>
    Malformed = 2,
}

/// <summary>Reads one HTTP/1.x answer (RFC 9112): a fixed length, chunks, or up to the connection's end.</summary>
public static class HttpAnswerParser
{
    private static readonly ParsedAnswer Incomplete = new(ParseState.Incomplete);
    private static readonly ParsedAnswer Malformed = new(ParseState.Malformed);

    /// <summary>Parses from the start of <paramref name="buffer"/>; a whole chunked body is moved together in place.</summary>
    /// <param name="buffer">All bytes received since the request.</param>
    /// <param name="ended">The server has closed its side.</param>
    public static ParsedAnswer Parse(Span<byte> buffer, bool ended)
    {
        var start = 0;
        while (true)
        {
            var head = buffer[start..];
            var headLength = head.IndexOf("\r\n\r\n"u8);
            if (headLength < 0) return Incomplete;
            head = head[..headLength];
            if (head.Length < 12 || !head.StartsWith("HTTP/1."u8) || !Utf8Parser.TryParse(head.Slice(9, 3), out int status, out var digits) || digits != 3)
                return Malformed;
            start += headLength + 4;
            if (status >= 200) return ParseBody(buffer, start, status, ReadFraming(head), ended);
        }
    }

    private static ParsedAnswer ParseBody(Span<byte> buffer, int start, int status, Framing framing, bool ended)
    {
        if (framing.Malformed) return Malformed;
        if (framing.Chunked && status is not (204 or 304)) return ParseChunks(buffer, start, status, framing.KeepAlive);
        var received = buffer.Length - start;
        var length = status is 204 or 304 ? 0 : framing.Length;
        if (length is null) return ended ? new(ParseState.Complete, status, start, received) : Incomplete;
        if (received < length) return Incomplete;
        // Bytes beyond the answer were not asked for: such a connection is not used again.
        return new(ParseState.Complete, status, start, (int)length.Value, framing.KeepAlive && received == length);
    }

    private static ParsedAnswer ParseChunks(Span<byte> buffer, int start, int status, bool keepAlive)
    {
        // The first walk only looks, because an incomplete answer is parsed again from its start.
        var end = WalkChunks(buffer, start, compact: false, out _);
        if (end <= 0) return end == 0 ? Incomplete : Malformed;
        WalkChunks(buffer, start, compact: true, out var length);
        return new(ParseState.Complete, status, start, length, keepAlive && end == buffer.Length);
    }

    /// <summary>Returns where the chunked body ends; 0 when it is not whole yet, −1 when it is malformed.</summary>
    private static int WalkChunks(Span<byte> buffer, int start, bool compact, out int length)
    {
        length = 0;
        for (var at = start; ;)
        {
            var line = buffer[at..].IndexOf("\r\n"u8);
            if (line < 0) return 0;
            if (!Utf8Parser.TryParse(buffer.Slice(at, line), out int size, out var digits, 'x') || digits == 0 || size < 0) return -1;
            at += line + 2;
            if (size == 0) return SkipTrailers(buffer, at);
            if (buffer.Length - at < (long)size + 2) return 0;
            if (!buffer.Slice(at + size, 2).SequenceEqual("\r\n"u8)) return -1;
            if (compact) buffer.Slice(at, size).CopyTo(buffer[(start + length)..]);
            length += size;
            at += size + 2;
        }
    }

    private static int SkipTrailers(ReadOnlySpan<byte> buffer, int at)
    {
        while (true)
        {
            var line = buffer[at..].IndexOf("\r\n"u8);
            if (line < 0) return 0;
            at += line + 2;
            if (line == 0) return at;
        }
    }

    private static Framing ReadFraming(ReadOnlySpan<byte> head)
    {
        var framing = new Framing { KeepAlive = !head.StartsWith("HTTP/1.0"u8) };
        for (var line = head.IndexOf("\r\n"u8); line >= 0; line = head.IndexOf("\r\n"u8))
        {
            head = head[(line + 2)..];
            var end = head.IndexOf("\r\n"u8);
            var header = end < 0 ? head : head[..end];
            var colon = header.IndexOf((byte)':');
            if (colon <= 0) return framing with { Malformed = true };
            var value = header[(colon + 1)..].Trim(" \t"u8);
            if (Is(header[..colon], "content-length"))
                framing = Utf8Parser.TryParse(value, out uint length, out var digits) && digits == value.Length && length <= int.MaxValue / 2
                    ? framing with { Length = length }
                    : framing with { Malformed = true };
            else if (Is(header[..colon], "transfer-encoding"))
                framing = framing with { Chunked = true, Malformed = framing.Malformed || !Is(value, "chunked") };
            else if (Is(header[..colon], "connection"))
                framing = framing with { KeepAlive = Is(value, "keep-alive") || (framing.KeepAlive && !Is(value, "close")) };
        }
        return framing;
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<char> lowerCase) => System.Text.Ascii.EqualsIgnoreCase(text, lowerCase);

    private readonly record struct Framing(bool KeepAlive, bool Chunked, uint? Length, bool Malformed);
}
