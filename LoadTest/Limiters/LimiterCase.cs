using System.Globalization;
using System.Text;
using System.Text.Json;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>One algorithm under test, in terms of its own that come to the same rate.</summary>
public sealed class LimiterCase
{
    private const int SegmentsPerWindow = 10;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private LimiterCase(string name, string terms, QuotaPolicyOptions options)
    {
        (options.Name, options.Dimension) = ("user", "user");
        (Name, Terms) = (name, terms);

        // Nulls are written too: they take away what the gateway's own settings say about the first policy. A busy machine answers late, and a late
        // answer is to be measured, not to become a 503.
        SettingsJson = JsonSerializer.Serialize(new
        {
            HeartGrains = new
            {
                RateLimits = new { Policies = new[] { options } },
                Resilience = new { QuotaTimeout = "00:00:02" },
            },
        });
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(SettingsJson));
        Policy = QuotaSettings.Read(new ConfigurationBuilder().AddJsonStream(json).Build()).Policies[0];
    }

    /// <summary>What it is called in tables and charts.</summary>
    public string Name { get; }

    /// <summary>Its limits, in words.</summary>
    public string Terms { get; }

    /// <summary>The settings a gateway is started with.</summary>
    public string SettingsJson { get; }

    /// <summary>The policy as the gateway reads it.</summary>
    public QuotaPolicy Policy { get; }

    /// <summary>What the algorithm promises to admit at most in any second.</summary>
    public long PromisedPerSecond => Policy.Algorithm == QuotaAlgorithm.SlidingWindow
        ? Policy.Limit
        : Policy.Limit + (long)Math.Ceiling(Policy.Limit / Policy.Window.TotalSeconds);

    /// <summary>The three algorithms, the leaky bucket once with room for a slot of 100 ms and once as it is by default.</summary>
    public static LimiterCase[] All(int perSecond)
    {
        var slot = Math.Max(1, perSecond / SegmentsPerWindow);
        return
        [
            new("token bucket", Text($"{perSecond:N0} tokens, {perSecond:N0}/s"), new()
            {
                Algorithm = "token_bucket", TokenLimit = perSecond, TokensPerPeriod = perSecond, ReplenishmentPeriod = Second,
            }),
            new("sliding window", Text($"{perSecond:N0} in 1 s, {SegmentsPerWindow} segments"), new()
            {
                Algorithm = "sliding_window", PermitLimit = perSecond, Window = Second, SegmentsPerWindow = SegmentsPerWindow,
            }),
            new("leaky bucket", Text($"room for {slot:N0}, {perSecond:N0}/s"), new()
            {
                Algorithm = "leaky_bucket", Capacity = slot, LeakPerPeriod = perSecond, LeakPeriod = Second,
            }),
            new("leaky bucket, strict", Text($"room for 1, {perSecond:N0}/s"), new()
            {
                Algorithm = "leaky_bucket", Capacity = 1, LeakPerPeriod = perSecond, LeakPeriod = Second,
            }),
        ];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
