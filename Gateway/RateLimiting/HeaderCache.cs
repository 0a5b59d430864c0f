using System.Globalization;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Header values that were made before: the same few come again and again.</summary>
internal sealed class HeaderCache(string policy)
{
    private const long LargestInteger = 999_999_999_999_999;

    private readonly Entry?[] _entries = new Entry?[256];

    /// <summary>An integer of a structured field has 15 digits at most (RFC 9651).</summary>
    public static long Cap(long value) => Math.Min(value, LargestInteger);

    public string Of(long remaining, long resetSeconds)
    {
        ref var slot = ref _entries[(int)(((ulong)remaining * 31 + (ulong)resetSeconds) & 255)];
        var entry = slot;
        if (entry is null || entry.Remaining != remaining || entry.ResetSeconds != resetSeconds)
        {
            slot = entry = new Entry(
                remaining, resetSeconds, string.Create(CultureInfo.InvariantCulture, $"\"{policy}\";r={Cap(remaining)};t={Cap(resetSeconds)}"));
        }

        return entry.Text;
    }

    private sealed record Entry(long Remaining, long ResetSeconds, string Text);
}
