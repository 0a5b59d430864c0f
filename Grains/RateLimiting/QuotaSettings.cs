using System.Globalization;
using System.Runtime.CompilerServices;
using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.RateLimiting;

/// <summary>The policies in force, checked. Read again whenever the configuration changes.</summary>
/// <param name="Policies">At least one, with names of their own.</param>
/// <param name="SliceTableKeys">See <see cref="RateLimitOptions.SliceTableKeys"/>.</param>
/// <param name="MaxClockSkew">See <see cref="RateLimitOptions.MaxClockSkew"/>.</param>
public sealed record QuotaSettings(QuotaPolicy[] Policies, int SliceTableKeys, TimeSpan MaxClockSkew)
{
    /// <summary>The most policies.</summary>
    public const int MaxPolicies = 32;

    private static readonly TimeSpan MaxWindow = TimeSpan.FromDays(366);

    /// <summary>Reads and checks; throws a <see cref="StartException"/> that names the key, what was found and what is allowed.</summary>
    public static QuotaSettings Read(IConfiguration configuration)
    {
        var options = configuration.ReadChecked<RateLimitOptions>(RateLimitOptions.SectionName);
        if (options.Policies.Count > MaxPolicies)
            throw StartException.Setting($"{RateLimitOptions.SectionName}:Policies", $"{options.Policies.Count} policies are too many: at most {MaxPolicies}");
        var keys = configuration.GetSection($"{RateLimitOptions.SectionName}:Policies").GetChildren().Select(policy => policy.Path).DefaultIfEmpty($"{RateLimitOptions.SectionName}:Policies:0").ToArray();
        if (options.Policies.Count == 0) options.Policies.Add(new QuotaPolicyOptions { Name = "user", Dimension = "user" });
        var policies = options.Policies.Select((policy, index) => Parse(policy, keys[index])).ToArray();
        var names = new HashSet<string>();
        foreach (var (index, policy) in policies.Index())
        {
            if (!names.Add(policy.Name))
                throw StartException.Setting($"{keys[index]}:Name", $"'{policy.Name}' is the name of another policy: each has its own");
        }

        return new QuotaSettings(policies, options.SliceTableKeys, options.MaxClockSkew);
    }

    private static QuotaPolicy Parse(QuotaPolicyOptions options, string key)
    {
        if (options.Name is null) throw StartException.Setting($"{key}:Name", "nothing was found: a policy needs a name, 1 to 64 characters a–z, 0–9, _ or -");
        if (options.Dimension is null) throw StartException.Setting($"{key}:Dimension", "nothing was found: a policy needs a dimension, user, address, target or campaign");
        RefuseForeignLimits(options, key);
        var (algorithm, limit, window) = options.Algorithm switch
        {
            "sliding_window" => (
                QuotaAlgorithm.SlidingWindow,
                options.PermitLimit ?? throw StartException.Setting($"{key}:PermitLimit", "nothing was found: a sliding_window needs a PermitLimit from 1 to 2^53"),
                options.Window ?? throw StartException.Setting($"{key}:Window", "nothing was found: a sliding_window needs a Window such as 00:01:00")),
            "leaky_bucket" => Bucket(
                QuotaAlgorithm.LeakyBucket, options.Capacity ?? 1, options.LeakPerPeriod ?? 1, options.LeakPeriod, $"{key}:{nameof(options.Capacity)}"),
            _ => Bucket(
                QuotaAlgorithm.TokenBucket, options.TokenLimit ?? 60, options.TokensPerPeriod ?? 1, options.ReplenishmentPeriod, $"{key}:{nameof(options.TokenLimit)}"),
        };
        if (options.HeartCost > limit)
            throw StartException.Setting($"{key}:HeartCost", $"'{options.HeartCost}' is more than the limit of {limit}: no heart could ever be given; allowed are 0 to {limit}");

        return new QuotaPolicy
        {
            Name = options.Name,
            Dimension = Enum.Parse<QuotaDimension>(options.Dimension, ignoreCase: true),
            Algorithm = algorithm,
            Limit = limit,
            Window = window,
            Segments = algorithm == QuotaAlgorithm.SlidingWindow ? options.SegmentsPerWindow ?? 10 : 1,
            HeartCost = options.HeartCost,
            AdmitsOnOutage = options.OnOutage == "admit",
            IsShadow = options.Shadow,
            SliceTokens = options.SliceTokens,
        };
    }

    private static (QuotaAlgorithm Algorithm, long Limit, TimeSpan Window) Bucket(
        QuotaAlgorithm algorithm, long limit, long perPeriod, TimeSpan? period, string key)
    {
        var ticks = ((Int128)limit * (period ?? TimeSpan.FromSeconds(1)).Ticks + perPeriod - 1) / perPeriod;
        if (ticks > MaxWindow.Ticks)
        {
            throw StartException.Setting(key, string.Create(CultureInfo.InvariantCulture,
                $"'{limit}' would take more than {MaxWindow.TotalDays} days to come back at {perPeriod} in {period ?? TimeSpan.FromSeconds(1)}; lower it or raise the rate"));
        }

        return (algorithm, limit, TimeSpan.FromTicks((long)ticks));
    }

    private static void RefuseForeignLimits(QuotaPolicyOptions options, string key)
    {
        var algorithm = options.Algorithm;
        Refuse(options.TokenLimit, "token_bucket");
        Refuse(options.TokensPerPeriod, "token_bucket");
        Refuse(options.ReplenishmentPeriod, "token_bucket");
        Refuse(options.PermitLimit, "sliding_window");
        Refuse(options.Window, "sliding_window");
        Refuse(options.SegmentsPerWindow, "sliding_window");
        Refuse(options.Capacity, "leaky_bucket");
        Refuse(options.LeakPerPeriod, "leaky_bucket");
        Refuse(options.LeakPeriod, "leaky_bucket");

        void Refuse(object? value, string owner, [CallerArgumentExpression(nameof(value))] string path = "")
        {
            if (value is null || algorithm == owner) return;
            throw StartException.Setting(
                $"{key}:{path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..]}", $"'{value}' is a limit of {owner}, and this policy is a {algorithm}");
        }
    }
}
