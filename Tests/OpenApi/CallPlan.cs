using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.OpenApi;

/// <summary>The calls that are made of each operation of the document: its examples, and what is wrong with them in every way that fits all operations.</summary>
/// <param name="readerToken">The token of a reader who gave a heart.</param>
/// <param name="quarantines">Quarantines that are there: one held, one released, one rolled back, one more held.</param>
internal sealed class CallPlan(string readerToken, IReadOnlyList<string> quarantines)
{
    // More than the most that any call takes.
    private const int TooManyBytes = 1100 * 1024;

    /// <summary>For a server where nothing is there.</summary>
    public static CallPlan OfNothing { get; } = new("nobody's", ["jAAAAAAAAAAAAAAAAAAAAAA"]);

    /// <summary>Makes what the examples speak of.</summary>
    public static async Task<CallPlan> PrepareAsync(ApiServer server)
    {
        foreach (var target in (string[])["post_123", "post_old", "q1", "q2", "q3", "q4"])
            foreach (var user in (string[])["u1", "u2", "u456", "u789"]) await PostAsync("hearts", $$"""{"target_id":"{{target}}","user_id":"{{user}}"}""");
        using var reader = await server.Client.PostJsonAsync(HeartClient.Hearts, """{"target_id":"post_123"}""");
        var token = reader.Headers.GetValues("Set-Cookie").Single().Split('=', ';')[1];
        await PostAsync("admin/targets/freeze", """{"target_id":"post_frozen","reason":"a test"}""");
        await PostAsync("admin/targets/move", """{"from":"post_moved","to":"post_there","reason":"a test"}""");
        await PostAsync("admin/users/block", """{"user_id":"u_blocked","for":"1h","reason":"a test"}""");
        string[] quarantines = [await HoldAsync("q1"), await HoldAsync("q2"), await HoldAsync("q3"), await HoldAsync("q4")];
        await PostAsync("admin/quarantine/release", $$"""{"id":"{{quarantines[1]}}","reason":"a test"}""");
        await PostAsync("admin/quarantine/rollback", $$"""{"id":"{{quarantines[2]}}","reason":"a test"}""");
        return new CallPlan(token, quarantines);

        async Task<string> HoldAsync(string target) =>
            JsonNode.Parse(await PostAsync("admin/quarantine", $$"""{"target_id":"{{target}}","reason":"a test"}"""))!["id"]!.GetValue<string>();

        async Task<string> PostAsync(string route, string body)
        {
            // On a machine that is busy a call may come too late, and is made again.
            for (var tries = 1; ; tries++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/" + route) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
                request.Headers.Authorization = ApiServer.Bearer(ApiServer.AdminKey);
                using var answer = await server.Client.SendAsync(request);
                if ((int)answer.StatusCode < 500 || tries == 10) return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
            }
        }
    }

    /// <summary>As the document shows it: each body once more, then with all that may be given.</summary>
    public IEnumerable<HttpRequestMessage> Examples(DocumentedCall call)
    {
        foreach (var body in BodiesOf(call))
        {
            yield return Request(call, body);
            yield return Request(call, body);
        }

        yield return Request(call, BodiesOf(call).First(), static parameter => parameter["example"] is not null);
        yield return With(Request(call, BodiesOf(call).First()), static headers => headers.Add("Origin", "https://blog.example.com"));
        foreach (var request in Special(call)) yield return request;
    }

    /// <summary>A few of them, and once with an operator's key and all parameters; credentials are any others if they are given.</summary>
    public IEnumerable<HttpRequestMessage> Few(DocumentedCall call, string? bearer = null)
    {
        var all = With(Request(call, BodiesOf(call).First(), static parameter => parameter["example"] is not null), static headers => headers.Authorization = ApiServer.Bearer(ApiServer.AdminKey));
        foreach (var request in (IEnumerable<HttpRequestMessage>)[all, .. BodiesOf(call).Select(body => Request(call, body)), .. Special(call)])
            yield return bearer is null ? request : With(request, headers => headers.Authorization = ApiServer.Bearer(bearer));
    }

    /// <summary>What a careless or a hostile client sends.</summary>
    public static IEnumerable<HttpRequestMessage> Mistakes(DocumentedCall call)
    {
        var body = BodiesOf(call).First();
        yield return Request(call, body, more: "nobody_knows=1");
        yield return Request(call, body, static _ => true, unknown: "nope");
        if (call.Parameters.Any(static parameter => parameter["in"]!.GetValue<string>() == "path")) yield return Request(call, body, path: "%21");
        yield return With(Request(call, body), static headers => headers.Add("Cookie", "heart_reader=forged"));
        yield return With(Request(call, body), static headers => headers.Add("Origin", "https://evil.example"));
        yield return With(Request(call, body), static headers => headers.Authorization = null);
        yield return With(Request(call, body), static headers => headers.Authorization = ApiServer.Bearer("of nobody, long enough to be a key"));
        foreach (var key in (string[])[ApiServer.ReadKey, ApiServer.WriteKey])
        {
            yield return With(Request(call, body), headers => headers.Authorization = ApiServer.Bearer(key));
            yield return With(Request(call, body, static parameter => parameter["example"] is not null), headers => headers.Authorization = ApiServer.Bearer(key));
        }

        if (call.Bodies is not { } bodies) yield break;
        foreach (var (type, _) in bodies)
        {
            yield return Request(call, (type, "{"));
            yield return Request(call, (type, "[\"\"]"));
            yield return Request(call, (type, "{\"nobody_knows\":1}"));
            yield return Request(call, (type, new string('a', TooManyBytes)));
        }

        yield return Request(call, ("application/xml", "<heart/>"));

        // Of a user, where the body says none.
        foreach (var other in BodiesOf(call).Skip(1)) yield return With(Request(call, other), static headers => headers.Add("Cookie", "heart_reader=forged"));
    }

    public static HttpRequestMessage Request(
        DocumentedCall call, (string Type, string Text)? body = null, Func<JsonNode, bool>? isGiven = null, string? more = null, string? unknown = null, string? path = null)
    {
        var (route, query) = (call.Path, new List<string>());
        var request = new HttpRequestMessage { Method = call.Method };
        foreach (var parameter in call.Parameters.Where(parameter => parameter["required"]?.GetValue<bool>() is true || isGiven?.Invoke(parameter) is true))
        {
            var (name, value) = (parameter["name"]!.GetValue<string>(), parameter["example"]?.ToString() ?? unknown!);
            switch (parameter["in"]!.GetValue<string>())
            {
                case "path":
                    route = route.Replace($"{{{name}}}", path ?? Uri.EscapeDataString(value), StringComparison.Ordinal);
                    break;
                case "query":
                    query.Add($"{name}={Uri.EscapeDataString(value)}");
                    break;
                default:
                    request.Headers.TryAddWithoutValidation(name, value);
                    break;
            }
        }

        if (more is not null) query.Add(more);
        request.RequestUri = new Uri(query.Count == 0 ? route : $"{route}?{string.Join('&', query)}", UriKind.Relative);
        if (call.NeedsCredentials) request.Headers.Authorization = ApiServer.Bearer(ApiServer.AdminKey);
        if (body is not { } sent) return request;
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(sent.Text));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(sent.Type);
        return request;
    }

    private static IEnumerable<(string Type, string Text)?> BodiesOf(DocumentedCall call)
    {
        if (call.Bodies is not { } bodies) return [null];
        return
        [
            .. from content in bodies
               from example in content.Value!["examples"]!.AsObject()
               let value = example.Value!["value"]!
               select ((string, string)?)(content.Key, Sent(content.Key, value)),
        ];
    }

    /// <summary>What some answers need besides.</summary>
    private IEnumerable<HttpRequestMessage> Special(DocumentedCall call) => call.Id switch
    {
        "watchTargets" =>
        [
            With(Request(call), Handshake),
            With(With(Request(call), Handshake), static headers => headers.Add("Origin", "https://evil.example")),
        ],
        "giveHeart" =>
        [
            Request(call, ("application/json", """{"target_id":"post_frozen","user_id":"u1"}""")), Request(call, ("application/json", """{"target_id":"post_123","user_id":"u_blocked"}""")),
        ],
        "withdrawHeart" => [Instead(Request(call, null, static parameter => parameter["name"]!.GetValue<string>() == "user_id"), "post_123", "post_frozen")],
        "postHeartForm" => [Request(call, ("application/x-www-form-urlencoded", "target_id=post_frozen"))],
        "moveTarget" => [Request(call, ("application/json", """{"from":"post_new","to":"post_old","reason":"back"}"""))],
        "quarantineHearts" => [Request(call, ("application/json", """{"target_id":"post_moved","reason":"a farm at work"}"""))],
        "listEvents" => [With(Request(call), static headers => headers.Accept.Add(new("application/x-ndjson")))],
        "resendWebhooks" => [Request(call, ("application/json", """{"endpoint":"nobody"}"""))],
        "mergeReader" =>
        [
            With(Request(call, ("application/json", $$"""{"user_id":"u456","reader_token":"{{readerToken}}"}""")), static headers => headers.Authorization = ApiServer.Bearer(ApiServer.WriteKey)),
            With(Request(call, ("application/json", """{"user_id":"u456"}""")), headers =>
            {
                headers.Add("Cookie", "heart_reader=" + readerToken);
                headers.Add("Origin", "https://blog.example.com");
            }),
        ],
        "readJob" => [Instead(Request(call), "jAAAAAAAAAAAAAAAAAAAAAA", quarantines[0])],
        "readQuarantine" => [Instead(Request(call), "j3q2-7wAAAAAAAAAAAAAAAA", quarantines[0])],
        "releaseQuarantine" or "rollBackQuarantine" =>
        [
            .. quarantines.Where((_, index) => index != (call.Id == "releaseQuarantine" ? 0 : 3)).Select(id => Request(call, ("application/json", $$"""{"id":"{{id}}","reason":"its end"}"""))),
        ],
        "readTarget" or "readBadge" => [With(Request(call), static headers => headers.TryAddWithoutValidation("If-None-Match", "*"))],
        "giveReaction" => [Request(call, ("text/plain", "❤️"), more: "redirect=https%3A%2F%2Fblog.example.com%2Fhello"), Request(call, ("text/plain", "no emoji")), OnSite(Request(call, ("text/plain", "❤️")), "closed.example")],
        _ => [],
    };

    private static void Handshake(HttpRequestHeaders headers)
    {
        headers.Connection.Add("Upgrade");
        headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        headers.Add("Sec-WebSocket-Version", "13");
        headers.Add("Sec-WebSocket-Key", Convert.ToBase64String(new byte[16]));
    }

    private static HttpRequestMessage OnSite(HttpRequestMessage request, string site) => Instead(request, "blog.example.com", site);

    public static HttpRequestMessage Instead(HttpRequestMessage request, string text, string other)
    {
        request.RequestUri = new Uri(request.RequestUri!.ToString().Replace(text, other, StringComparison.Ordinal), UriKind.Relative);
        return request;
    }

    private static string Sent(string mediaType, JsonNode example) => mediaType switch
    {
        "application/json" => example.ToJsonString(),
        "application/x-www-form-urlencoded" => string.Join('&', example.AsObject().Select(static field => $"{field.Key}={Uri.EscapeDataString(field.Value!.GetValue<string>())}")),
        _ => example.GetValue<string>(),
    };

    private static HttpRequestMessage With(HttpRequestMessage request, Action<HttpRequestHeaders> change)
    {
        change(request.Headers);
        return request;
    }
}
