using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HeartGrains.Tests.Gateway;

[Collection(GatewayCollection.Name)]
public sealed class BadInputTests(GatewayServer server)
{
    private const string Fields = "invalid-fields";
    private const string Json = "invalid-json";
    private readonly HttpClient _client = server.Client;

    /// <summary>Bodies of POST /hearts in Latin-1 (so that any byte can be written); <c>T</c> stands for a fresh target.</summary>
    public static TheoryData<string, string, string> BadHearts { get; } = new()
    {
        { "", Json, "body" },
        { " ", Json, "body" },
        { "null", Json, "body" },
        { "[]", Json, "body" },
        { "\"x\"", Json, "body" },
        { "{", Json, "body" },
        { "{}}", Json, "body" },
        { """{"target_id":"T","user_id":"u"} x""", Json, "body" },
        { """{"target_id":"T","user_id":"u"}{}""", Json, "body" },
        { """{"target_id":"T","user_id":"u",}""", Json, "body" },
        { """{"target_id":"T" /* c */,"user_id":"u"}""", Json, "body" },
        { """{'target_id':'T','user_id':'u'}""", Json, "body" },
        { """{"target_id":"T","user_id":"u","x":[[[[[[[[[[]]]]]]]]]]}""", Json, "body" },
        { "{\"target_id\":\"T\n\",\"user_id\":\"u\"}", Json, "body" },
        { "{\"target_id\":\"T\\q\",\"user_id\":\"u\"}", Json, "body" },
        { "\u00ef\u00bb\u00bf{\"target_id\":\"T\",\"user_id\":\"u\"}", Json, "body" },
        { "{\"target_id\":\"T\",\"user_id\":\"u\"}\0", Json, "body" },
        { "{}", Fields, "target_id" },
        { """{"target_id":"T","user_id":"reader:x"}""", Fields, "user_id" },
        { """{"target_id":"T","user_id":"erased:x"}""", Fields, "user_id" },
        { """{"target_id":"T","user_id":null}""", Fields, "user_id" },
        { """{"user_id":"u"}""", Fields, "target_id" },
        { """{"target_id":"","user_id":""}""", Fields, "target_id,user_id" },
        { """{"target_id":null,"user_id":"u"}""", Fields, "target_id" },
        { """{"target_id":1,"user_id":true}""", Fields, "target_id,user_id" },
        { """{"target_id":["T"],"user_id":{"a":"u"}}""", Fields, "target_id,user_id" },
        { """{"target_id":"T","user_id":"u","extra":1}""", Fields, "extra" },
        { """{"target_id":"T","user_id":"u","user_Id":"u"}""", Fields, "user_Id" },
        { """{"target_id":"T","user_id":"u","target_id":"T"}""", Fields, "target_id" },
        { """{"target_id":"T","user_id":"u","target\u005fid":"T"}""", Fields, "target_id" },
        { """{"target_id":"T","user_id":"u","user_id":"v"}""", Fields, "user_id" },
        { """{"target_id":"T\u0000","user_id":"u"}""", Fields, "target_id" },
        { """{"target_id":"T\n","user_id":"u\u001f"}""", Fields, "target_id,user_id" },
        { """{"target_id":"T\u007f","user_id":"u\u0085"}""", Fields, "target_id,user_id" },
        { "{\"target_id\":\"T\u007f\",\"user_id\":\"u\u00c2\u0080\"}", Fields, "target_id,user_id" },
        { """{"target_id":"T\ud800","user_id":"\udc00u"}""", Fields, "target_id,user_id" },
        { """{"target_id":"T\udc00\ud800","user_id":"u"}""", Fields, "target_id" },
        { "{\"target_id\":\"T\u00ff\",\"user_id\":\"u\u00c3\"}", Fields, "target_id,user_id" },
        { "{\"target_id\":\"T\u00ed\u00a0\u0080\",\"user_id\":\"\u00c0\u00af\"}", Fields, "target_id,user_id" },
        { $$"""{"target_id":"{{new string('x', 257)}}","user_id":"{{new string('x', 129)}}"}""", Fields, "target_id,user_id" },
        { $$"""{"target_id":"{{string.Concat(Enumerable.Repeat("\\u0041", 257))}}","user_id":"u"}""", Fields, "target_id" },
        { $$"""{"target_id":"{{string.Concat(Enumerable.Repeat("\\u00e9", 129))}}","user_id":"u"}""", Fields, "target_id" },
        { "{\"\u00ff\":1,\"target_id\":\"T\",\"user_id\":\"u\"}", Fields, "\ufffd" },
    };

    public static TheoryData<string, string, string> BadBatches { get; } = new()
    {
        { "", Json, "body" },
        { "{}", Fields, "target_ids" },
        { """{"target_ids":[]}""", Fields, "target_ids" },
        { """{"target_ids":"a"}""", Fields, "target_ids" },
        { """{"target_ids":["a",1,"",["b"]]}""", Fields, "target_ids[1],target_ids[2],target_ids[3]" },
        { """{"target_ids":["a"],"target_id":"a"}""", Fields, "target_id" },
        { """{"target_ids":["a"],"target_ids":["a"]}""", Fields, "target_ids" },
        { """{"target_ids":["a"],"user_id":null}""", Fields, "user_id" },
        { """{"target_ids":["a"],"user_id":""}""", Fields, "user_id" },
        { """{"target_ids":["\ud800"]}""", Fields, "target_ids[0]" },
        { $$"""{"target_ids":[{{string.Join(',', Enumerable.Repeat("\"a\"", 101))}}]}""", Fields, "target_ids" },
    };

    /// <summary>Method, path and query below /api/v1/hearts, code, fields at fault.</summary>
    public static TheoryData<string, string, string, string> BadQueries { get; } = new()
    {
        { "GET", "", "invalid-query", "target_id" },
        { "GET", "?", "invalid-query", "target_id" },
        { "GET", "?target_id", "invalid-query", "target_id" },
        { "GET", "?target_id=", "invalid-query", "target_id" },
        { "GET", "?target_id=a&target_id=b", "invalid-query", "target_id" },
        { "GET", "?target_id=a&target%5Fid=b", "invalid-query", "target_id" },
        { "GET", "?target_id=a&other=b", "invalid-query", "other" },
        { "GET", "?target_id=a&limit=1", "invalid-query", "limit" },
        { "GET", "?target_id=a&", "invalid-query", "query" },
        { "GET", "?&target_id=a", "invalid-query", "query" },
        { "GET", "?target_id=%", "invalid-query", "target_id" },
        { "GET", "?target_id=%4", "invalid-query", "target_id" },
        { "GET", "?target_id=%zz", "invalid-query", "target_id" },
        { "GET", "?target_id=%ff", "invalid-query", "target_id" },
        { "GET", "?target_id=%ed%a0%80", "invalid-query", "target_id" },
        { "GET", "?target_id=%c0%af", "invalid-query", "target_id" },
        { "GET", "?target_id=a%00", "invalid-query", "target_id" },
        { "GET", "?target_id=a%7f", "invalid-query", "target_id" },
        { "GET", "?target_id=a%c2%85", "invalid-query", "target_id" },
        { "GET", "?target_id=" + new string('x', 257), "invalid-query", "target_id" },
        { "GET", "?target_id=a&user_id=" + new string('x', 129), "invalid-query", "user_id" },
        { "GET", "?target_id=a&user_id=", "invalid-query", "user_id" },
        { "DELETE", "", "invalid-query", "target_id" },
        { "DELETE", "?target_id=a&user_id=reader:x", "invalid-query", "user_id" },
        { "DELETE", "?target_id=a&user_id=erased:x", "invalid-query", "user_id" },
        { "DELETE", "?user_id=a", "invalid-query", "target_id" },
        { "DELETE", "?target_id=a&user_id=b&user_id=b", "invalid-query", "user_id" },
        { "GET", "/users", "invalid-query", "target_id" },
        { "GET", "/users?target_id=a&user_id=b", "invalid-query", "user_id" },
        { "GET", "/users?target_id=a&limit=0", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=101", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=-1", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=1.5", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=+5", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&limit=99999999999", "invalid-query", "limit" },
        { "GET", "/users?target_id=a&cursor=", "invalid-cursor", "cursor" },
        { "GET", "/users?target_id=a&cursor=AAAAAAAAAAAAAAAAAAAAAA", "invalid-cursor", "cursor" },
        { "GET", "/users?target_id=a&cursor=%ff", "invalid-cursor", "cursor" },
        { "GET", "/users?target_id=a&cursor=1", "invalid-cursor", "cursor" },
        { "GET", "?target_id=" + new string('a', 9000), "invalid-query", "target_id" },
        { "POST", "?x=1", "invalid-query", "x" },
        { "POST", "?target_id=a&user_id=b", "invalid-query", "target_id,user_id" },
        { "POST", "/query?x", "invalid-query", "x" },
        { "GET", "/top?limit=x", "invalid-query", "limit" },
        { "GET", "/top?target_id=a", "invalid-query", "target_id" },
        { "GET", "/top?limit=5&limit=5", "invalid-query", "limit" },
    };

    [Theory]
    [MemberData(nameof(BadHearts))]
    public async Task Post_BadBody_IsRefusedAndNothingIsStored(string body, string code, string fields)
    {
        var target = HeartClient.Fresh("");
        var response = await _client.PostBytesAsync(HeartClient.Hearts, Encoding.Latin1.GetBytes(body.Replace("\"T", "\"" + target, StringComparison.Ordinal)));
        await ShouldNameAsync(response, code, fields);
        (await _client.ReadAsync(target, "u").JsonAsync()).GetProperty("version").GetInt64().ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(BadBatches))]
    public async Task Query_BadBody_IsRefused(string body, string code, string fields) =>
        await ShouldNameAsync(await _client.PostJsonAsync(HeartClient.Hearts + "/query", body), code, fields);

    [Theory]
    [MemberData(nameof(BadQueries))]
    public async Task AnyRoute_BadQuery_IsRefused(string method, string pathAndQuery, string code, string fields)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Url + HeartClient.Hearts[1..] + pathAndQuery, new UriCreationOptions
        {
            DangerousDisablePathAndQueryCanonicalization = true,
        }));
        await ShouldNameAsync(await _client.SendAsync(request), code, fields);
    }

    [Theory]
    [InlineData("/api/v1/hearts", 8 * 1024)]
    [InlineData("/api/v1/hearts/query", 160 * 1024)]
    public async Task Post_BodyOverItsBound_Is413WithAndWithoutContentLength(string path, int bound)
    {
        var target = HeartClient.Fresh("");
        var body = $$"""{"target_id":"{{target}}","user_id":"u"}""".PadRight(bound + 1);
        await (await _client.PostJsonAsync(path, body)).ShouldBeProblemAsync(413, "body-too-large");

        using var chunked = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        chunked.Headers.TransferEncodingChunked = true;
        await (await _client.SendAsync(chunked)).ShouldBeProblemAsync(413, "body-too-large");
        (await _client.ReadAsync(target).JsonAsync()).GetProperty("version").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Post_BodyAtItsBound_IsTaken()
    {
        var body = $$"""{"target_id":"{{HeartClient.Fresh("")}}","user_id":"{{HeartClient.Fresh("")}}"}""".PadRight(8 * 1024);
        (await _client.PostJsonAsync(HeartClient.Hearts, body)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/jsonp")]
    [InlineData("application/problem+json")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=iso-8859-1")]
    public async Task Post_OtherContentType_Is415(string? contentType)
    {
        var target = HeartClient.Fresh("");
        var body = Encoding.UTF8.GetBytes($$"""{"target_id":"{{target}}","user_id":"u"}""");
        await (await _client.PostBytesAsync(HeartClient.Hearts, body, contentType)).ShouldBeProblemAsync(415, "unsupported-media-type");
        (await _client.ReadAsync(target).JsonAsync()).GetProperty("version").GetInt64().ShouldBe(0);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON;charset=\"UTF-8\"")]
    public async Task Post_JsonInUtf8_IsTaken(string contentType)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"target_id":"{{HeartClient.Fresh("")}}","user_id":"{{HeartClient.Fresh("")}}"}""");
        (await _client.PostBytesAsync(HeartClient.Hearts, body, contentType)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("PUT", "/api/v1/hearts", "DELETE, GET, HEAD, POST")]
    [InlineData("PATCH", "/api/v1/hearts", "DELETE, GET, HEAD, POST")]
    [InlineData("GET", "/api/v1/hearts/query", "POST")]
    [InlineData("POST", "/api/v1/hearts/users", "GET, HEAD")]
    [InlineData("DELETE", "/api/v1/hearts/top", "GET, HEAD")]
    public async Task AnyRoute_WrongMethod_Is405WithAllow(string method, string path, string allow)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var response = await _client.SendAsync(request);
        await response.ShouldBeProblemAsync(405, "method-not-allowed");
        response.Content.Headers.Allow.Order(StringComparer.Ordinal).ShouldBe(allow.Split(", "));
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v1")]
    [InlineData("/api/v1/hearts/post_123")]
    [InlineData("/api/v2/hearts")]
    public async Task UnknownRoute_Is404(string path) => await (await _client.GetAsync(path)).ShouldBeProblemAsync(404, "not-found");

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

    private static async Task ShouldNameAsync(HttpResponseMessage response, string code, string fields)
    {
        using (response)
        {
            var problem = await response.ShouldBeProblemAsync(400, code);
            var errors = problem.GetProperty("errors").EnumerateObject().ToArray();
            errors.Select(field => field.Name).Order(StringComparer.Ordinal).ShouldBe(fields.Split(','));
            errors.ShouldAllBe(field => field.Value.GetArrayLength() > 0);
        }
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
