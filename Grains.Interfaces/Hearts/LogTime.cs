using System.Globalization;

namespace HeartGrains.Hearts;

/// <summary>Moments as the log keeps them, in microseconds since 1970-01-01 UTC, and as they are written.</summary>
public static class LogTime
{
    /// <summary>RFC 3339 in UTC with microseconds.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Now.</summary>
    public static long NowMicros(this TimeProvider time) => MicrosOf(time.GetUtcNow());

    /// <summary>A moment in microseconds.</summary>
    public static long MicrosOf(DateTimeOffset at) => (at.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>The moment of so many microseconds, in UTC.</summary>
    public static DateTime TimeOf(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    /// <summary>The same as RFC 3339 writes it.</summary>
    public static string TextOf(long micros) => TimeOf(micros).ToString(Format, CultureInfo.InvariantCulture);
}
