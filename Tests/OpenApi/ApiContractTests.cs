using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.OpenApi;

/// <summary>Every operation of the document, called on a real gateway: what it answers is what the document says, and nothing besides.</summary>
public sealed class ApiContractTests(ApiContractTests.Run run) : IClassFixture<ApiContractTests.Run>
{
    // What no call alone can cause: an operation that lasts, a body that does not come, a quota that is spent.
    private static readonly int[] OfOthers = [202, 408, 429];

    // What would take 100,000 calls; and 202, what an operation is answered that takes longer than a call waits.
    private static readonly (string, int)[] TooMuch = [("blockUser", 409)];

    [Fact]
    public void Answer_Each_IsAsDocumented() => run.Answers.SelectMany(static answer => answer.Faults.Select(fault => $"{answer.Id} {fault}")).Distinct().ShouldBeEmpty();

    [Fact]
    public void Operation_Each_DoesWhatItIsFor()
    {
        foreach (var call in run.Server.Api.Calls)
            run.Answers.ShouldContain(answer => answer.Id == call.Id && answer.Status < 400, $"{call} never succeeded: {string.Join(' ', run.StatusesOf(call.Id))}");
    }

    [Fact]
    public void Operation_EachThatCanRefuse_WasSeenRefusing()
    {
        foreach (var call in run.Server.Api.Calls)
            if (call.Statuses.Any(static status => status is >= 400 and < 500 && !OfOthers.Contains(status))) run.StatusesOf(call.Id).ShouldContain(static status => status >= 400 && status < 500, $"{call}");
    }

    /// <summary>What the service's own troubles cause is seen in the tests of each.</summary>
    [Fact]
    public void Status_EachThatACallerCanCause_WasSeen()
    {
        var unseen = from call in run.Server.Api.Calls
                     from status in call.Statuses
                     where status < 500 && !OfOthers.Contains(status) && !TooMuch.Contains((call.Id, status)) && status != 202 && !run.StatusesOf(call.Id).Contains(status)
                     select $"{call} {status}";
        unseen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("schemas/GivenHeart/properties/version", "giveHeart")]
    [InlineData("schemas/Problem/properties/errors", "giveHeart")]
    [InlineData("responses/201", "giveHeart")]
    [InlineData("responses/201/headers/Location", "giveHeart")]
    [InlineData("responses/401/headers/WWW-Authenticate", "giveHeart")]
    [InlineData("responses/200/headers/ETag", "readTarget")]
    [InlineData("responses/400/content/application~1problem+json/examples/invalid-cursor", "listUsers")]
    [InlineData("responses/200/content/image~1svg+xml", "readBadge")]
    public async Task Document_WithoutSomethingThatIsAnswered_IsFoundWanting(string part, string id)
    {
        var document = run.Server.Api.Document.DeepClone();
        var (parent, steps) = (part.StartsWith("schemas", StringComparison.Ordinal) ? document["components"]! : new DocumentedApi(document)[id].Operation, part.Split('/'));
        foreach (var step in steps[..^1]) parent = parent[step.Replace("~1", "/", StringComparison.Ordinal)]!;
        parent.AsObject().Remove(steps[^1].Replace("~1", "/", StringComparison.Ordinal)).ShouldBeTrue();
        var api = new DocumentedApi(document);

        var faults = await run.CallAsync(api, api[id], "post_" + steps[^1]);

        faults.SelectMany(static answer => answer.Faults).ShouldNotBeEmpty();
    }

    /// <summary>An answer, and what the document does not say of it.</summary>
    internal sealed record Answer(string Id, int Status, IReadOnlyList<string> Faults);

    /// <summary>All calls, made once.</summary>
    public sealed class Run : IAsyncLifetime
    {
        // Where nobody is believed who brings no proof.
        private readonly ApiServer _strict = new("--HeartGrains:Auth:AllowClaimedUser=false");

        internal ApiServer Server { get; } = new();

        internal List<Answer> Answers { get; } = [];

        /// <inheritdoc/>
        public async ValueTask InitializeAsync()
        {
            await Server.InitializeAsync();
            await _strict.InitializeAsync();
            foreach (var user in (string[])["u1", "u2", "u3"])
            {
                using var given = await Server.Client.GiveAsync("post_123", user);
                given.EnsureSuccessStatusCode();
            }

            using var reader = await Server.Client.PostAsync("/api/v1/reader", null);
            CallPlan.ReaderToken = reader.Headers.GetValues("Set-Cookie").Single().Split('=', ';')[1];
            await PostAsync("/api/v1/admin/targets/freeze", """{"target_id":"post_frozen","reason":"a test"}""");
            await PostAsync("/api/v1/admin/targets/move", """{"from":"post_moved","to":"post_there","reason":"a test"}""");
            await PostAsync("/api/v1/admin/users/block", """{"user_id":"u_blocked","for":"1h","reason":"a test"}""");
            CallPlan.Quarantines = [await HoldAsync("q1"), await HoldAsync("q2"), await HoldAsync("q3")];
            await PostAsync("/api/v1/admin/quarantine/release", $$"""{"id":"{{CallPlan.Quarantines[1]}}","reason":"a test"}""");
            await PostAsync("/api/v1/admin/quarantine/rollback", $$"""{"id":"{{CallPlan.Quarantines[2]}}","reason":"a test"}""");
            foreach (var call in Server.Api.Calls) Answers.AddRange(await CallAsync(Server.Api, call));
            foreach (var call in _strict.Api.Calls) Answers.AddRange(await CallAsync(_strict.Api, call, client: _strict.Client));
        }

        private async Task<string> HoldAsync(string target) =>
            JsonDocument.Parse(await PostAsync("/api/v1/admin/quarantine", $$"""{"target_id":"{{target}}","reason":"a test"}""")).RootElement.GetProperty("id").GetString()!;

        private async Task<string> PostAsync(string path, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Authorization = ApiServer.Bearer(ApiServer.AdminKey);
            using var answer = await Server.Client.SendAsync(request);
            return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        }

        internal IReadOnlySet<int> StatusesOf(string id) => Answers.Where(answer => answer.Id == id).Select(static answer => answer.Status).ToHashSet();

        /// <summary>Makes all calls of an operation; of another target than the examples', if one is given.</summary>
        internal async Task<List<Answer>> CallAsync(DocumentedApi api, DocumentedCall call, string? target = null, HttpClient? client = null)
        {
            var answers = new List<Answer>();
            foreach (var request in CallPlan.Examples(call).Concat(CallPlan.Mistakes(call)))
            {
                using (request)
                {
                    if (target is not null && request.Content is { } body && await body.ReadAsStringAsync() is { Length: < 1024 } text)
                        request.Content = new StringContent(text.Replace("post_123", target, StringComparison.Ordinal), body.Headers.ContentType!);
                    using var answer = await (client ?? Server.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                    answers.Add(new Answer(call.Id, (int)answer.StatusCode, await api.FaultsOfAsync(call, answer)));
                }
            }

            return answers;
        }

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await _strict.DisposeAsync();
        }
    }
}
