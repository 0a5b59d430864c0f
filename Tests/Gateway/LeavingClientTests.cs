using System.Net.Sockets;
using System.Text;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Gateway;

/// <summary>Clients that hang up in the middle of their body are everyday life: they cost no line in the log.</summary>
public sealed class LeavingClientTests
{
    private const int Rounds = 50;

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("{\"targe", false)]
    [InlineData("{\"targe", true)]
    public async Task Post_ClientHangsUpInItsBody_LogsNothing(string piece, bool resets)
    {
        LogLines log;
        await using (var server = await ScriptedServer.StartAsync())
        {
            log = server.Log;
            for (var round = 0; round < Rounds; round++) await HangUpAsync(server, piece, resets);
            server.Grains.Calls.ShouldBe(Rounds, "only the calls in between");
        }

        log.Lines.ShouldBeEmpty();
    }

    private static async Task HangUpAsync(ScriptedServer server, string piece, bool resets)
    {
        var url = server.Client.BaseAddress!;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(url.Host, url.Port);
        await SendAsync(socket, "POST /api/v1/hearts HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n");

        // The answer tells that the body is waited for; a whole call in between, that the piece of it was taken.
        await socket.ReceiveAsync(new byte[256]);
        if (piece.Length > 0) await SendAsync(socket, piece);
        await server.Client.ReadAsync("t");
        if (resets) socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }

    private static async Task SendAsync(Socket socket, string text) => await socket.SendAsync(Encoding.ASCII.GetBytes(text));
}
