using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HeartGrains.RateLimiting;

/// <summary>How often a user may act, and how that is divided. Section <c>HeartGrains:RateLimits</c>.</summary>
public sealed class RateLimitOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "HeartGrains:RateLimits";

    /// <summary>The most tokens a user can save up: the largest burst. Default 60.</summary>
    [Range(1, 1_000_000)]
    public int TokenLimit { get; set; } = 60;

    /// <summary>Tokens a user gets back in each <see cref="ReplenishmentPeriod"/>. Default 1.</summary>
    [Range(1, 1_000_000)]
    public int TokensPerPeriod { get; set; } = 1;

    /// <summary>The period of <see cref="TokensPerPeriod"/>; tokens come back evenly within it. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReplenishmentPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Tokens of each user that each seated gateway gives by itself, without asking a silo. 0 asks for every call. Default 2.</summary>
    [Range(0, 1_000)]
    public int SliceTokens { get; set; } = 2;

    /// <summary>How many users a gateway keeps slices for at least, 32 bytes each; others are asked of the silos. Default 1,000,000.</summary>
    [Range(1_000, 100_000_000)]
    public int SliceTableUsers { get; set; } = 1_000_000;

    /// <summary>How many gateways hold slices at the same time; further ones ask the silos for every call. Default 2; 1 in one process.</summary>
    [Range(0, 1_000)]
    public int GatewaySeats { get; set; } = 2;

    /// <summary>The policy's rate.</summary>
    public double TokensPerSecond => TokensPerPeriod / ReplenishmentPeriod.TotalSeconds;

    /// <summary>How long an empty bucket takes to fill.</summary>
    public TimeSpan FillTime => TimeSpan.FromSeconds(TokenLimit / TokensPerSecond);

    /// <summary>The slice as it is used: none when the slices together would leave nothing to the grain.</summary>
    public int EffectiveSliceTokens => (long)GatewaySeats * SliceTokens < TokenLimit ? SliceTokens : 0;

    /// <summary>What the seats leave to the grain.</summary>
    public QuotaShare GrainShare(long ticksPerSecond) =>
        QuotaShare.Of(TokenLimit - GatewaySeats * EffectiveSliceTokens, TokenLimit, TokensPerSecond, ticksPerSecond);
}

/// <summary>Refuses settings that cannot be kept, and says what to write instead.</summary>
public sealed class RateLimitOptionsValidator : IValidateOptions<RateLimitOptions>
{
    private const double MaxTokensPerSecond = 1_000_000;
    private static readonly TimeSpan MaxFillTime = TimeSpan.FromDays(31);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RateLimitOptions options)
    {
        var results = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true))
            return ValidateOptionsResult.Fail(results.Select(result => $"{Spelling(result.MemberNames.FirstOrDefault())}: {result.ErrorMessage}"));

        if (options.TokensPerSecond > MaxTokensPerSecond)
        {
            return ValidateOptionsResult.Fail(
                $"{Spelling(nameof(options.ReplenishmentPeriod))}: {options.TokensPerPeriod} tokens in {options.ReplenishmentPeriod} are more than "
                + $"{MaxTokensPerSecond:N0} a second; lengthen the period or lower TokensPerPeriod.");
        }

        if (options.TokenLimit / options.TokensPerSecond > MaxFillTime.TotalSeconds)
        {
            return ValidateOptionsResult.Fail(
                $"{Spelling(nameof(options.TokenLimit))}: an empty bucket of {options.TokenLimit} would take more than {MaxFillTime.Days} days to "
                + "fill; lower TokenLimit or raise TokensPerPeriod.");
        }

        return ValidateOptionsResult.Success;
    }

    private static string Spelling(string? property) =>
        $"{RateLimitOptions.SectionName}:{property} (environment HEARTGRAINS__RATELIMITS__{property?.ToUpperInvariant()}, "
        + $"switch --{RateLimitOptions.SectionName}:{property}=…)";
}

/// <summary>Wiring of the quota on a silo.</summary>
public static class RateLimitHosting
{
    /// <summary>The grain storage that holds quotas and seats; the host has to provide one of this name.</summary>
    public const string StorageName = "quota";

    /// <summary>Binds and checks the policy. The grain storage <see cref="StorageName"/> is the host's to add.</summary>
    public static ISiloBuilder AddRateLimiting(this ISiloBuilder silo)
    {
        silo.Services.AddRateLimitOptions();
        return silo;
    }

    /// <summary>Binds <see cref="RateLimitOptions"/> and checks them at start; safe to call more than once.</summary>
    public static IServiceCollection AddRateLimitOptions(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<RateLimitOptions>().BindConfiguration(RateLimitOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RateLimitOptions>, RateLimitOptionsValidator>());
        return services;
    }
}
