using HeartGrains.Gateway;
using HeartGrains.Gateway.Overload;
using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Overload;

public sealed class OverloadOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() => new OverloadOptionsValidator().Validate(null, new()).Succeeded.ShouldBeTrue();

    [Fact]
    public void Validate_MinRateOverMaxRate_NamesBoth()
    {
        var result = new OverloadOptionsValidator().Validate(null, new() { MinRate = 20, MaxRate = 10 });

        result.Failed.ShouldBeTrue();
        result.FailureMessage.ShouldContain("HeartGrains:Overload:MinRate is 20");
        result.FailureMessage.ShouldContain("HeartGrains:Overload:MaxRate is 10");
    }

    [Theory]
    [InlineData("P95Goal", "00:00:00")]
    [InlineData("MaxInFlight", "0")]
    [InlineData("IncreaseGain", "0")]
    [InlineData("DecreaseFactor", "1")]
    [InlineData("CpuGoal", "2")]
    [InlineData("Interval", "1.00:00:00")]
    [InlineData("Intervall", "00:00:01")]
    public void Check_ValueThatMakesNoSense_StopsTheStart(string key, string value)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create($"HeartGrains:Overload:{key}", (string?)value)]).Build();

        Should.Throw<StartException>(() => SettingsCheck.Check(configuration, GatewayHosting.Features)).Message.ShouldContain($"HeartGrains:Overload:{key}");
    }
}
