namespace HeartGrains.LoadTest.Http;

/// <summary>How an exchange ended.</summary>
public enum HttpExchange : byte
{
    /// <summary>A whole answer arrived.</summary>
    Answered = 0,

    /// <summary>No connection could be made: nothing was sent.</summary>
    NotConnected = 1,

    /// <summary>The connection broke after something was sent; the server may have done the work.</summary>
    Broken = 2,

    /// <summary>No whole answer in time; the server may have done the work.</summary>
    TimedOut = 3,
}

/// <summary>An answer, or why there is none.</summary>
/// <param name="Exchange">How the exchange ended.</param>
/// <param name="Status">The HTTP status; 0 when there was no answer.</param>
/// <param name="Body">The body without its framing; valid until the next exchange on the same connection.</param>
public readonly record struct HttpAnswer(HttpExchange Exchange, int Status = 0, ReadOnlyMemory<byte> Body = default);
