using System.Text;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Identity;

/// <summary>Walks the table of <c>docs/identity.md</c>: every route by every kind of caller, where claims are believed and where not.</summary>
public sealed class CallerTableTests : IAsyncLifetime
{
    private const string Prefix = "/api/v1";
    private static readonly string[] Columns = ["nothing", "a claim", "a reader", "user's token", "token alone", "another user's", "`hearts:write`", "`hearts:read`", "`hearts:admin`", "bad token"];

    /// <summary>How each call is made, with and without a user; null where it takes none.</summary>
    private static readonly Dictionary<string, (string Path, string? Body, string? UserPath, string? UserBody)> Calls = new()
    {
        ["POST /hearts"] = ("/hearts", """{"target_id":"TARGET"}""", null, """{"target_id":"TARGET","user_id":"USER"}"""),
        ["DELETE /hearts"] = ("/hearts?target_id=TARGET", null, "/hearts?target_id=TARGET&user_id=USER", null),
        ["GET /hearts"] = ("/hearts?target_id=TARGET", null, "/hearts?target_id=TARGET&user_id=USER", null),
        ["POST /hearts/query"] = ("/hearts/query", """{"target_ids":["TARGET"]}""", null, """{"target_ids":["TARGET"],"user_id":"USER"}"""),
        ["GET /hearts/users"] = ("/hearts/users?target_id=TARGET", null, null, null),
        ["GET /hearts/top"] = ("/hearts/top", null, null, null),
        ["POST /hearts/form"] = ("/hearts/form", "target_id=TARGET", null, null),
        ["GET /badge.svg"] = ("/badge.svg?target_id=TARGET", null, null, null),
        ["GET /live"] = ("/live", null, null, null),
        ["GET /reader"] = ("/reader", null, null, null),
        ["POST /reader"] = ("/reader", "", null, null),
        ["POST /quota/acquire"] = ("/quota/acquire", """{"tokens":1}""", null, """{"tokens":1,"user_id":"USER"}"""),
        ["GET /quota"] = ("/quota", null, "/quota?user_id=USER", null),
        ["DELETE /quota"] = ("/quota?user_id=USER", null, null, null),
        ["DELETE /users"] = ("/users", null, "/users?user_id=USER", null),
        ["GET /users/export"] = ("/users/export", null, "/users/export?user_id=USER", null),
        ["POST /identity/merge"] = ("/identity/merge", "{}", null, """{"user_id":"USER"}"""),
        ["GET /admin/jobs"] = ("/admin/jobs?id=jAAAAAAAAAAAAAAAAAAAAAA", null, null, null),
        ["POST /admin/verify"] = ("/admin/verify", """{"target_id":"TARGET"}""", null, null),
        ["GET /events"] = ("/events?limit=1", null, null, null),
        ["GET /explain"] = ("/explain?target_id=TARGET&user_id=USER", null, null, null),
        ["POST /admin/targets/freeze"] = ("/admin/targets/freeze", """{"target_id":"TARGET","reason":"a test"}""", null, null),
        ["POST /admin/targets/unfreeze"] = ("/admin/targets/unfreeze", """{"target_id":"TARGET","reason":"a test"}""", null, null),
        ["POST /admin/targets/move"] = ("/admin/targets/move", """{"from":"TARGET","to":"new-TARGET","reason":"a test"}""", null, null),
        ["POST /admin/users/block"] = ("/admin/users/block", """{"user_id":"USER","for":"1h","reason":"a test"}""", null, null),
        ["POST /admin/users/unblock"] = ("/admin/users/unblock", """{"user_id":"USER","reason":"a test"}""", null, null),
        ["GET /admin/users/blocks"] = ("/admin/users/blocks", null, null, null),
        ["POST /admin/quarantine"] = ("/admin/quarantine", """{"target_id":"TARGET","reason":"a test"}""", null, null),
        ["GET /admin/quarantine"] = ("/admin/quarantine?id=jAAAAAAAAAAAAAAAAAAAAAA", null, null, null),
        ["POST /admin/quarantine/release"] = ("/admin/quarantine/release", """{"id":"jAAAAAAAAAAAAAAAAAAAAAA","reason":"a test"}""", null, null),
        ["POST /admin/quarantine/rollback"] = ("/admin/quarantine/rollback", """{"id":"jAAAAAAAAAAAAAAAAAAAAAA","reason":"a test"}""", null, null),
        ["GET /admin/webhooks"] = ("/admin/webhooks", null, null, null),
        ["POST /admin/webhooks/resend"] = ("/admin/webhooks/resend", """{"endpoint":"crm"}""", null, null),
        ["GET /breakers"] = ("/breakers", null, null, null),
        ["POST /breakers/{name}"] = ("/breakers/hearts", """{"state":"auto","reason":"a test"}""", null, null),
        ["POST /imports/applause"] = ("/imports/applause", """[{"url":"https://blog.example.com/TARGET","claps":5}]""", null, null),
    };

    private readonly GatewayServer _believing = Gateway(true);
    private readonly GatewayServer _refusing = Gateway(false);

    public async ValueTask InitializeAsync()
    {
        await _believing.InitializeAsync();
        await _refusing.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _believing.DisposeAsync();
        await _refusing.DisposeAsync();
    }

    [Fact]
    public async Task EveryCall_ByEveryCaller_IsAnsweredAsThePageSays()
    {
        var wrong = new List<string>();
        foreach (var (call, mode, cells) in Table())
        {
            (GatewayServer Server, string Name)[] servers = mode switch
            {
                "believed" => [(_believing, mode)],
                "refused" => [(_refusing, mode)],
                "either" => [(_believing, "believed"), (_refusing, "refused")],
                _ => throw new InvalidOperationException($"'{mode}' is no mode"),
            };
            foreach (var (server, name) in servers)
            {
                foreach (var (index, cell) in cells.Index())
                {
                    var status = await CallAsync(server, call, Columns[index]);
                    if (status != cell) wrong.Add($"{call}, claims {name}, by {Columns[index]}: the page says {cell}, the gateway {status}");
                }
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void EveryRoute_IsInTheTable()
    {
        var routes = _believing.Services.GetServices<EndpointDataSource>().SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(static endpoint => endpoint.RoutePattern.RawText!.StartsWith(Prefix + "/", StringComparison.Ordinal))
            .SelectMany(static endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => method + " " + endpoint.RoutePattern.RawText![Prefix.Length..]))
            .Where(static route => !route.StartsWith("HEAD ", StringComparison.Ordinal)).Distinct().Order().ToArray();
        Table().Select(static row => row.Call).Distinct().Order().ShouldBe(routes);
    }

    private static async Task<int> CallAsync(GatewayServer server, string call, string caller)
    {
        var form = Calls[call];
        var (user, target) = (HeartClient.Fresh("u"), HeartClient.Fresh("t"));
        var namesUser = caller is not ("nothing" or "a reader" or "token alone");
        var path = namesUser ? form.UserPath ?? form.Path : form.Path;
        var body = namesUser ? form.UserBody ?? form.Body : form.Body;
        using var request = new HttpRequestMessage(HttpMethod.Parse(call.Split(' ')[0]), Prefix + Fill(path));
        if (body is not null) request.Content = new StringContent(Fill(body), Encoding.UTF8, body.StartsWith("target_id=", StringComparison.Ordinal) ? "application/x-www-form-urlencoded" : "application/json");
        if (caller == "a reader")
        {
            using var become = await server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, Prefix + "/reader") { Headers = { { "Origin", server.Url.GetLeftPart(UriPartial.Authority) } } });
            request.Headers.Add("Cookie", become.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
            request.Headers.Add("Origin", server.Url.GetLeftPart(UriPartial.Authority));
        }

        var bearer = caller switch
        {
            "user's token" or "token alone" => JwtServer.Ecdsa.Sign(user, TimeProvider.System.GetUtcNow()),
            "another user's" => JwtServer.Ecdsa.Sign("not-" + user, TimeProvider.System.GetUtcNow()),
            "`hearts:write`" => JwtServer.WriteKey,
            "`hearts:read`" => JwtServer.ReadKey,
            "`hearts:admin`" => JwtServer.AdminKey,
            "bad token" => TestSigner.Ecdsa("ec").Sign(user, TimeProvider.System.GetUtcNow()),
            _ => null,
        };
        if (bearer is not null) request.Headers.Authorization = new("Bearer", bearer);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Url };
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;

        string Fill(string text) => text.Replace("TARGET", target, StringComparison.Ordinal).Replace("USER", user, StringComparison.Ordinal);
    }

    private static List<(string Call, string Mode, int[] Cells)> Table()
    {
        var lines = File.ReadLines(Path.Combine(LocalCluster.Root, "docs", "identity.md")).SkipWhile(static line => !line.StartsWith("| call |", StringComparison.Ordinal))
            .TakeWhile(static line => line.StartsWith('|')).Select(static line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToArray();
        lines[0][2..].ShouldBe(Columns);
        return [.. lines.Skip(2).Select(static line => (line[0].Trim('`'), line[1], Array.ConvertAll(line[2..], static cell => int.Parse(cell, System.Globalization.CultureInfo.InvariantCulture))))];
    }

    private static GatewayServer Gateway(bool believes) =>
        new([.. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Ecdsa)), $"--HeartGrains:Auth:AllowClaimedUser={believes}", .. JwtServer.Keys]);
}
