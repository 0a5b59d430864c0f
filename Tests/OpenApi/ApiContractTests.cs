namespace HeartGrains.Tests.OpenApi;

/// <summary>Every operation of the document, called on a real gateway: what it answers is what the document says, and nothing besides.</summary>
public sealed class ApiContractTests(ApiContractTests.Run run) : IClassFixture<ApiContractTests.Run>
{
    /// <summary>What is documented and not seen, by status or by operation and status, each with its reason.</summary>
    private static readonly Dictionary<string, string> Unseen = new()
    {
        ["500"] = "a defect of ours: nobody knows one",
        ["forceBreaker 504"] = "takes a cluster whose silos do not answer: a process of its own has each breaker itself",
        ["rollBackQuarantine 202"] = "no grain is asked, so it ends at once but for very many hearts",
        ["blockUser 409"] = "100,000 blocks come before it",
    };

    [Fact]
    public void Answer_Each_IsAsDocumented() => run.Answers.SelectMany(static answer => answer.Faults.Select(fault => $"{answer.Id} {fault}")).Distinct().ShouldBeEmpty();

    [Fact]
    public void Operation_Each_DoesWhatItIsFor()
    {
        foreach (var call in run.Server.Api.Calls)
            run.Answers.ShouldContain(answer => answer.Id == call.Id && answer.Status < 400, $"{call} never succeeded: {string.Join(' ', run.StatusesOf(call.Id))}");
    }

    [Fact]
    public void Status_EachThatIsDocumented_WasSeenOrCannotBeCaused()
    {
        var unseen = from call in run.Server.Api.Calls
                     from status in call.Statuses
                     where !run.StatusesOf(call.Id).Contains(status) && !Unseen.ContainsKey($"{status}") && !Unseen.ContainsKey($"{call.Id} {status}")
                     select $"{call.Id} {status}, but {string.Join(' ', run.StatusesOf(call.Id).Order())}";
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

        var faults = await run.CallAsync(run.Server, api, api[id], "post_" + steps[^1]);

        faults.SelectMany(static answer => answer.Faults).ShouldNotBeEmpty();
    }

    /// <summary>All calls, made once.</summary>
    public sealed class Run : IAsyncLifetime
    {
        // Where nobody is believed who brings no proof.
        private readonly ApiServer _strict = new("--HeartGrains:Auth:AllowClaimedUser=false");
        private CallPlan _plan = null!;

        internal ApiServer Server { get; } = new();

        internal List<ApiAnswer> Answers { get; } = [];

        /// <inheritdoc/>
        public async ValueTask InitializeAsync()
        {
            var troubles = TroubledApi.AllAsync();
            await Server.InitializeAsync();
            await _strict.InitializeAsync();
            var lost = TroubledApi.OfLostBodiesAsync(Server);
            _plan = await CallPlan.PrepareAsync(Server);
            foreach (var call in Server.Api.Calls) Answers.AddRange(await CallAsync(Server, Server.Api, call));
            foreach (var call in _strict.Api.Calls) Answers.AddRange(await CallAsync(_strict, _strict.Api, call));
            Answers.AddRange(await lost);
            Answers.AddRange(await troubles);
        }

        internal IReadOnlySet<int> StatusesOf(string id) => Answers.Where(answer => answer.Id == id).Select(static answer => answer.Status).ToHashSet();

        /// <summary>Makes all calls of an operation; of another target than the examples', if one is given.</summary>
        internal async Task<List<ApiAnswer>> CallAsync(ApiServer server, DocumentedApi api, DocumentedCall call, string? target = null)
        {
            var answers = new List<ApiAnswer>();
            foreach (var request in _plan.Examples(call).Concat(CallPlan.Mistakes(call)))
            {
                if (target is not null && request.Content is { } body && await body.ReadAsStringAsync() is { Length: < 1024 } text)
                    request.Content = new StringContent(text.Replace("post_123", target, StringComparison.Ordinal), body.Headers.ContentType!);
                answers.Add(await server.CallAsync(api, call, request));
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
