using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HeartGrains.Tests.Infrastructure;

[assembly: AssemblyFixture(typeof(LocalRedis))]

namespace HeartGrains.Tests.Infrastructure;

/// <summary>A private Redis with an append-only file, so that its data survives a restart.</summary>
public sealed class LocalRedis : LocalServer
{
    /// <summary>How to reach it, in the words of StackExchange.Redis.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    protected override string StopSignal => "TERM";

    protected override ProcessStartInfo Describe() => new(
        "redis-server",
        [
            "--port", $"{Port}", "--bind", "127.0.0.1", "--dir", Folder, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction",
            "--logfile", $"{Folder}/redis.log",
        ]);

    protected override async Task AskAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        var stream = client.GetStream();
        await stream.WriteAsync("PING\r\n"u8.ToArray());
        var answer = new byte[7];
        await stream.ReadExactlyAsync(answer);
        if (!answer.AsSpan().SequenceEqual("+PONG\r\n"u8))
            throw new InvalidOperationException("Redis is still loading.");
    }
}
