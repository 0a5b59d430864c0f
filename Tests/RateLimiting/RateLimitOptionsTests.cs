using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class RateLimitOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() =>
        new RateLimitOptionsValidator().Validate(null, new RateLimitOptions()).Succeeded.ShouldBeTrue();

    [Theory]
    [InlineData(0, 1, 1.0, "TokenLimit")]
    [InlineData(60, 0, 1.0, "TokensPerPeriod")]
    [InlineData(60, 1, 0.0, "ReplenishmentPeriod")]
    [InlineData(60, 1_000_000, 0.5, "ReplenishmentPeriod")]
    [InlineData(1_000_000, 1, 3600.0, "TokenLimit")]
    public void Validate_PolicyThatCannotBeKept_NamesTheSetting(int limit, int tokens, double seconds, string setting)
    {
        var options = new RateLimitOptions { TokenLimit = limit, TokensPerPeriod = tokens, ReplenishmentPeriod = TimeSpan.FromSeconds(seconds) };
        var result = new RateLimitOptionsValidator().Validate(null, options);
        result.Failed.ShouldBeTrue();
        result.FailureMessage.ShouldContain($"HeartGrains:RateLimits:{setting}");
    }

    [Theory]
    [InlineData(60, 2, 2, 2, 56)]
    [InlineData(5, 2, 2, 2, 1)]
    [InlineData(4, 2, 2, 0, 4)]
    [InlineData(1, 2, 2, 0, 1)]
    public void GrainShare_SmallPolicy_LeavesTheSlicesOut(int limit, int slice, int seats, int effectiveSlice, int grain)
    {
        var options = new RateLimitOptions { TokenLimit = limit, SliceTokens = slice, GatewaySeats = seats };
        options.EffectiveSliceTokens.ShouldBe(effectiveSlice);
        options.GrainShare(1_000).Tokens.ShouldBe(grain);
    }
}
