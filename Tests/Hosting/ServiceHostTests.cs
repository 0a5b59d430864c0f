using System.Net;
using System.Net.Sockets;
using HeartGrains.Hosting;
using HeartGrains.Resilience;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace HeartGrains.Tests.Hosting;

public class ServiceHostTests
{
    [Fact]
    public void CreateBuilder_AddressOfNobodyHere_NamesTheSetting()
    {
        string[] args = ["--mode=dev", "--listen=192.0.2.1", "--port=0"];

        var message = Should.Throw<StartException>(() => ServiceHost.CreateBuilder(args, defaultPort: 0, GrainHosting.Features)).Message;

        message.ShouldBe("'192.0.2.1' is no address of this machine (HeartGrains:Listen, HEARTGRAINS__LISTEN, --listen)");
    }

    [Theory]
    [InlineData("json", true)]
    [InlineData("text", false)]
    public void CreateBuilder_Logs_AreWrittenAsConfigured(string logs, bool asJson)
    {
        string[] args = ["--mode=dev", "--port=0", $"--logs={logs}"];

        using var services = ServiceHost.CreateBuilder(args, defaultPort: 0, GrainHosting.Features).Services.BuildServiceProvider();

        var formatter = services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName;
        (formatter == ConsoleFormatterNames.Json).ShouldBe(asJson);
    }

    [Theory]
    [InlineData("'00:00:15' is longer than MaxBreakDuration, '00:00:10' (HeartGrains:Breakers:Ledger:BreakDuration, HEARTGRAINS__BREAKERS__LEDGER__BREAKDURATION, ",
        "--HeartGrains:Breakers:Ledger:BreakDuration=00:00:15", "--HeartGrains:Breakers:Ledger:MaxBreakDuration=00:00:10")]
    [InlineData("'00:00:01' is shorter than BreakDuration, '00:00:02' (HeartGrains:Breakers:Hearts:MaxBreakDuration, ", "--HeartGrains:Breakers:Hearts:MaxBreakDuration=00:00:01")]
    public void CreateBuilder_FirstBreakLongerThanTheLongest_NamesTheSetting(string expected, params string[] settings)
    {
        string[] args = ["--mode=dev", "--port=0", .. settings];

        var message = Should.Throw<StartException>(() => ServiceHost.CreateBuilder(args, defaultPort: 0, GrainHosting.Features)).Message;

        message.ShouldStartWith(expected);
        message.ShouldNotContain("\n");
    }

    /// <summary>The classic break of 15 s, for each dependency, and none of the others' rules.</summary>
    [Theory]
    [InlineData("Hearts", 30)]
    [InlineData("Quota", 15)]
    [InlineData("Ledger", 15)]
    public void Breakers_FirstBreakAloneIsConfigured_TheLongestIsNotLess(string dependency, int longest)
    {
        string[] args = ["--mode=dev", "--port=0", $"--HeartGrains:Breakers:{dependency}:BreakDuration=00:00:15"];
        var builder = ServiceHost.CreateBuilder(args, defaultPort: 0, GrainHosting.Features);
        builder.Services.AddBreakers();
        using var services = builder.Services.BuildServiceProvider();

        var rules = services.GetRequiredService<IOptions<BreakersOptions>>().Value;

        var rule = dependency switch { "Hearts" => rules.Hearts, "Quota" => rules.Quota, _ => rules.Ledger };
        (rule.BreakDuration, rule.MaxBreakDuration).ShouldBe((TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(longest)));
        rule.BreakNumber(1, chance: 0.5).ShouldBe(TimeSpan.FromSeconds(15));
        if (dependency != "Ledger") rules.Ledger.MaxBreakDuration.ShouldBe(new BreakersOptions().Ledger.MaxBreakDuration);
    }

    [Theory]
    [InlineData(SocketError.AddressAlreadyInUse, "--port")]
    [InlineData(SocketError.AccessDenied, "--port")]
    [InlineData(SocketError.AddressNotAvailable, "--listen")]
    [InlineData(SocketError.AddressFamilyNotSupported, "--listen")]
    public void CannotListen_WhateverTheReason_NamesTheSetting(SocketError error, string spelling) =>
        ServiceHost.CannotListen(new SocketException((int)error), IPAddress.Loopback, 80).Message.ShouldContain(spelling);
}
