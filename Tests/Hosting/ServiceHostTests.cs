using System.Net;
using System.Net.Sockets;
using HeartGrains.Hosting;
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
    [InlineData(SocketError.AddressAlreadyInUse, "--port")]
    [InlineData(SocketError.AccessDenied, "--port")]
    [InlineData(SocketError.AddressNotAvailable, "--listen")]
    [InlineData(SocketError.AddressFamilyNotSupported, "--listen")]
    public void CannotListen_WhateverTheReason_NamesTheSetting(SocketError error, string spelling) =>
        ServiceHost.CannotListen(new SocketException((int)error), IPAddress.Loopback, 80).Message.ShouldContain(spelling);
}
