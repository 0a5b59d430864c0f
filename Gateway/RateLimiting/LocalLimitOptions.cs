using System.ComponentModel.DataAnnotations;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>What a gateway refuses by itself before any work is done. Section <c>HeartGrains:LocalLimits</c>; changes apply without a restart.</summary>
public sealed class LocalLimitOptions
{
    /// <summary>The section's name under <see cref="HostSettings.Section"/>.</summary>
    public const string Name = "LocalLimits";

    /// <summary>The configuration section.</summary>
    public const string SectionName = HostSettings.Section + ":" + Name;

    /// <summary>All API calls to this gateway together. Off by default.</summary>
    public LocalLimit Gateway { get; set; } = new();

    /// <summary>API calls from each client address. Off by default.</summary>
    public AddressLimit Address { get; set; } = new();

    /// <summary>Throws for policies that cannot be kept, and says what to write instead.</summary>
    public void Check()
    {
        Gateway.Check($"{SectionName}:{nameof(Gateway)}");
        Address.Check($"{SectionName}:{nameof(Address)}");
    }
}

/// <summary>A token bucket's settings; off while <see cref="TokenLimit"/> is 0.</summary>
public class LocalLimit
{
    private const double MaxTokensPerSecond = 1_000_000;
    private static readonly TimeSpan MaxFillTime = TimeSpan.FromDays(31);

    /// <summary>The largest burst; 0, the default, is no limit.</summary>
    [Range(0, 1_000_000)]
    public int TokenLimit { get; set; }

    /// <summary>Tokens that come back in each <see cref="ReplenishmentPeriod"/>. No default: a limit needs a rate.</summary>
    [Range(0, 1_000_000)]
    public int TokensPerPeriod { get; set; }

    /// <summary>The period of <see cref="TokensPerPeriod"/>; tokens come back evenly within it. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReplenishmentPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether there is a limit at all.</summary>
    public bool IsOn => TokenLimit > 0;

    internal (int TokenLimit, int TokensPerPeriod, TimeSpan ReplenishmentPeriod) Policy => (TokenLimit, TokensPerPeriod, ReplenishmentPeriod);

    internal BucketTerms Terms(TimeProvider clock) => new(TokenLimit, TokensPerPeriod, ReplenishmentPeriod, clock);

    internal void Check(string section)
    {
        if (!IsOn) return;
        if (TokensPerPeriod == 0)
        {
            throw StartException.Setting(
                $"{section}:{nameof(TokensPerPeriod)}", $"A TokenLimit of {TokenLimit} needs a rate: write how many tokens come back in each ReplenishmentPeriod, 1 to 1000000");
        }

        var tokensPerSecond = TokensPerPeriod / ReplenishmentPeriod.TotalSeconds;
        if (tokensPerSecond > MaxTokensPerSecond)
        {
            throw StartException.Setting(
                $"{section}:{nameof(ReplenishmentPeriod)}",
                $"{TokensPerPeriod} tokens in {ReplenishmentPeriod} are more than {MaxTokensPerSecond:N0} a second; lengthen the period or lower TokensPerPeriod");
        }

        if (TokenLimit / tokensPerSecond > MaxFillTime.TotalSeconds)
        {
            throw StartException.Setting(
                $"{section}:{nameof(TokenLimit)}",
                $"An empty bucket of {TokenLimit} would take more than {MaxFillTime.Days} days to fill; lower TokenLimit or raise TokensPerPeriod");
        }
    }
}

/// <summary>The settings of the limit for each address.</summary>
public sealed class AddressLimit : LocalLimit
{
    /// <summary>Counts what would be refused, and refuses nothing. Default false.</summary>
    public bool Shadow { get; set; }

    /// <summary>
    /// Buckets in the table, 8 bytes each, rounded up to a power of two; addresses that share one share its tokens. Default 1,048,576, which
    /// is 8 MB.
    /// </summary>
    [Range(1_024, 67_108_864)]
    public int TableCells { get; set; } = 1 << 20;
}
