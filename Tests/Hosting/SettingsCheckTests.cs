using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Hosting;

public class SettingsCheckTests
{
    [Theory]
    [InlineData("HeartGrains:Prot", "Nothing reads the setting HeartGrains:Prot; did you mean HeartGrains:Port?")]
    [InlineData("HeartGrains:Heart", "Nothing reads the setting HeartGrains:Heart; did you mean HeartGrains:Hearts?")]
    [InlineData("HeartGrains:Ledger:QueLimit", "Nothing reads the setting HeartGrains:Ledger:QueLimit; did you mean HeartGrains:Ledger:QueueLimit?")]
    [InlineData("HeartGrains:Cluster:SiloPrt", "Nothing reads the setting HeartGrains:Cluster:SiloPrt; did you mean HeartGrains:Cluster:SiloPort?")]
    [InlineData("HeartGrains:Mode:Foo", "Nothing reads the setting HeartGrains:Mode:Foo; HeartGrains:Mode is a single value.")]
    [InlineData("HeartGrains:Port:Foo", "Nothing reads the setting HeartGrains:Port:Foo; HeartGrains:Port is a single value.")]
    public void Check_KeyThatNobodyReads_NamesTheNearest(string key, string message) =>
        Should.Throw<StartException>(() => Check((key, "1"))).Message.ShouldBe(message);

    [Theory]
    [InlineData("HeartGrains:Port", "http", "HeartGrains:Port", "HEARTGRAINS__PORT", "--port", "whole number")]
    [InlineData("HeartGrains:Mode", "fast", "HeartGrains:Mode", "HEARTGRAINS__MODE", "--mode", "one of single, dev, cluster")]
    [InlineData("HeartGrains:Mode", "7", "HeartGrains:Mode", "HEARTGRAINS__MODE", "--mode", "one of single, dev, cluster")]
    [InlineData("HeartGrains:Dashboard", "maybe", "HeartGrains:Dashboard", "HEARTGRAINS__DASHBOARD", "--dashboard", "true or false")]
    [InlineData("HeartGrains:Hearts:IdleTime", "long", "HeartGrains:Hearts:IdleTime", "HEARTGRAINS__HEARTS__IDLETIME", "--HeartGrains:Hearts:IdleTime", "a time such as")]
    public void Check_ValueThatDoesNotParse_NamesTheThreeSpellings(string key, string value, params string[] parts)
    {
        var message = Should.Throw<StartException>(() => Check((key, value))).Message;

        message.ShouldContain($"'{value}'");
        foreach (var part in parts) message.ShouldContain(part, Case.Sensitive);
        message.ShouldNotContain("\n");
    }

    [Theory]
    [InlineData("HeartGrains:Port", "65536", "--port")]
    [InlineData("HeartGrains:Cluster:SiloPort", "0", "--silo-port")]
    [InlineData("HeartGrains:Hearts:DedupeLimit", "1", "HEARTGRAINS__HEARTS__DEDUPELIMIT")]
    [InlineData("HeartGrains:Ledger:AppendDeadline", "00:01:00", "HEARTGRAINS__LEDGER__APPENDDEADLINE")]
    [InlineData("HeartGrains:RateLimits:Policies:0:TokenLimit", "0", "HEARTGRAINS__RATELIMITS__POLICIES__0__TOKENLIMIT")]
    [InlineData("HeartGrains:RateLimits:Policies:0:TOKENLIMIT", "0", "HeartGrains:RateLimits:Policies:0:TokenLimit")]
    public void Check_ValueOutOfRange_IsRefused(string key, string value, string spelling)
    {
        var message = Should.Throw<StartException>(() => Check((key, value))).Message;

        message.ShouldContain($"'{value}' is refused");
        message.ShouldContain(spelling);
    }

    [Fact]
    public void Check_KeyTooShort_DoesNotTellIt() =>
        Should.Throw<StartException>(() => Check(("HeartGrains:Key", "secret"))).Message.ShouldNotContain("secret");

    [Fact]
    public void Check_KnownSettingsInAnyCase_PassAndAreRead()
    {
        var configuration = Check(("HEARTGRAINS:MODE", "dev"), ("heartgrains:hearts:dedupelimit", "16"), ("HeartGrains:Cluster:ClientPort", "30001"));

        var settings = configuration.Read<HostSettings>();
        (settings.Mode, settings.Cluster.ClientPort, settings.Listen).ShouldBe((HostMode.Dev, 30001, "127.0.0.1"));
    }

    private static IConfiguration Check(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value)).Build();
        SettingsCheck.Check(configuration, GrainHosting.Features);
        return configuration;
    }
}
