using System.Net;
using System.Text;

namespace HeartGrains.Tests.Gateway;

[Collection(GatewayCollection.Name)]
public sealed class FuzzTests(GatewayServer server)
{
    private const int Rounds = 1500;
    private const int Seed = 20240615;

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", "\"", ":", ",", "\"target_id\"", "\"user_id\"", "\"target_ids\"", "\"a\"", "\"\"", "null", "true", "1e999", "-0", "\\ud800", "\\u0000",
        "\\", "/*", "//", " ", "\t", "\r\n", "\0", "\u007f", "\u0080", "\u00ff", "\u00ed\u00a0\u0080", "\u00c2\u0085", "{\"target_id\":\"t\",\"user_id\":\"u\"}",
    ];

    private static readonly string[] QueryPieces =
    [
        "target_id", "user_id", "limit", "cursor", "=", "&", "%", "%2", "%ff", "%00", "%C2%85", "+", "a", "b", "9", "AAAAAAAAAAAAAAAAAAAAAA", "?", ";", "/",
        "%F0%9F%98%80", "[]", "target_id=a", "&user_id=b",
    ];

    private static readonly string[] Valid = ["{\"target_id\":\"a target\",\"user_id\":\"a user\"}", "{\"target_ids\":[\"a\",\"b\"],\"user_id\":\"a user\"}"];

    private readonly HttpClient _client = server.Client;

    [Fact]
    public async Task RandomBodies_NeverA5xx()
    {
        var random = new Random(Seed);
        for (var round = 0; round < Rounds; round++)
        {
            var body = Body(random);
            foreach (var path in (string[])[HeartClient.Hearts, HeartClient.Hearts + "/query"])
                await ShouldBeHandledAsync(await _client.PostBytesAsync(path, body), Convert.ToHexString(body));
        }
    }

    [Fact]
    public async Task RandomQueries_NeverA5xx()
    {
        var random = new Random(Seed);
        for (var round = 0; round < Rounds; round++)
        {
            var query = Pick(random, QueryPieces, 12);
            foreach (var path in (string[])["", "/users", "/top"])
                await ShouldBeHandledAsync(await SendAsync(HttpMethod.Get, path + "?" + query), path + "?" + query);
            await ShouldBeHandledAsync(await SendAsync(HttpMethod.Delete, "?" + query), "DELETE ?" + query);
        }
    }

    private static byte[] Body(Random random)
    {
        byte[] body;
        switch (random.Next(3))
        {
            case 0:
                body = new byte[random.Next(200)];
                random.NextBytes(body);
                return body;
            case 1:
                return Encoding.Latin1.GetBytes(Pick(random, Pieces, 30));
            default:
                body = Encoding.UTF8.GetBytes(Valid[random.Next(Valid.Length)]);
                body[random.Next(body.Length)] = (byte)random.Next(256);
                return body;
        }
    }

    private static string Pick(Random random, string[] pieces, int limit) => string.Concat(random.GetItems(pieces, random.Next(limit)));

    private static async Task ShouldBeHandledAsync(HttpResponseMessage response, string sent)
    {
        using (response)
        {
            // Mutations that stay valid may use up a user's quota: that is handled too.
            response.StatusCode.ShouldBeOneOf([HttpStatusCode.OK, HttpStatusCode.Created, HttpStatusCode.BadRequest, HttpStatusCode.TooManyRequests], sent);
            if (response.StatusCode == HttpStatusCode.BadRequest) (await response.JsonAsync()).GetProperty("code").GetString().ShouldStartWith("invalid-", Case.Sensitive, sent);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string pathAndQuery)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Url + HeartClient.Hearts[1..] + pathAndQuery, new UriCreationOptions
        {
            DangerousDisablePathAndQueryCanonicalization = true,
        }));
        return await _client.SendAsync(request);
    }
}
