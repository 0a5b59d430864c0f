using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Resilience;

/// <summary>No first break is longer than the longest: where that is not configured it grows with the first, otherwise the two are refused.</summary>
internal static class BreakDurations
{
    /// <summary>Fits the rules that were read from <paramref name="configuration"/>.</summary>
    /// <exception cref="StartException">Both are configured, or only the longest, and the first is longer.</exception>
    public static void Fit(BreakersOptions options, IConfiguration configuration)
    {
        var section = configuration.GetSection(BreakersOptions.SectionName);
        Fit(options.Hearts, section.GetSection(nameof(options.Hearts)));
        Fit(options.Quota, section.GetSection(nameof(options.Quota)));
        Fit(options.Ledger, section.GetSection(nameof(options.Ledger)));
    }

    private static void Fit(BreakerOptions rule, IConfigurationSection section)
    {
        if (rule.BreakDuration <= rule.MaxBreakDuration) return;
        var (first, longest) = (section.GetSection(nameof(rule.BreakDuration)), section.GetSection(nameof(rule.MaxBreakDuration)));
        if (longest.Value is null) rule.MaxBreakDuration = rule.BreakDuration;
        else if (first.Value is not null) throw StartException.Setting(first.Path, $"'{first.Value}' is longer than {nameof(rule.MaxBreakDuration)}, '{longest.Value}'");
        else throw StartException.Setting(longest.Path, $"'{longest.Value}' is shorter than {nameof(rule.BreakDuration)}, '{rule.BreakDuration}'");
    }
}
