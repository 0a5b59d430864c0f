using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HeartGrains.Tests.Gateway;

/// <summary>Bodies that are taken, however they come, and what breaks; what is refused is in <c>Tests/BadInput/</c>.</summary>
[Collection(GatewayCollection.Name)]
public sealed class RequestBodyTests(GatewayServer server)
{
    private readonly HttpClient _client = server.Client;

    [Fact]
    public async Task Post_BodyAtItsBound_IsTaken()
    {
        var body = $$"""{"target_id":"{{HeartClient.Fresh("")}}","user_id":"{{HeartClient.Fresh("")}}"}""".PadRight(8 * 1024);
        (await _client.PostJsonAsync(HeartClient.Hearts, body)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON;charset=\"UTF-8\"")]
    public async Task Post_JsonInUtf8_IsTaken(string contentType)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"target_id":"{{HeartClient.Fresh("")}}","user_id":"{{HeartClient.Fresh("")}}"}""");
        (await _client.PostBytesAsync(HeartClient.Hearts, body, contentType)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task UnhandledException_IsA500ProblemWithoutItsText()
    {
        var response = await _client.GetAsync("/broken");
        response.Headers.Contains("X-Request-Id").ShouldBeTrue();
        await response.ShouldBeProblemAsync(500, "internal-error");
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("secret");
    }

    [Fact]
    public async Task Post_BrokenChunks_Is400()
    {
        var answer = await SendRawAsync("POST /api/v1/hearts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        answer.ShouldStartWith("HTTP/1.1 400");
        answer.ShouldContain("application/problem+json");
        answer.ShouldContain("\"code\":\"bad-request\"");
    }

    [Fact]
    public async Task Post_BodyInPieces_IsRead()
    {
        var body = $$"""{"target_id":"{{HeartClient.Fresh("")}}","user_id":"u1"}""";
        using var socket = await ConnectAsync();
        await SendAsync(socket, $"POST /api/v1/hearts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        foreach (var piece in body.Chunk(7)) await SendAsync(socket, new string(piece));
        (await ReceiveAsync(socket)).ShouldStartWith("HTTP/1.1 201");
    }

    private async Task<string> SendRawAsync(string request)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, request);
        return await ReceiveAsync(socket);
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Url.Host, server.Url.Port);
        return socket;
    }

    private static async Task SendAsync(Socket socket, string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text));

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, giveUp.Token) is > 0 and var count) received.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return received.ToString();
    }
}
