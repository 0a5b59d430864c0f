using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;

namespace HeartGrains.Tests.Audit;

/// <summary>Drift of every kind, made behind the program's back in a real store, is found, and mended where it can be.</summary>
public abstract class VerifierTests(DriftingStore store) : IAsyncLifetime
{
    private const string Network = "203.0.113.0/24";
    private static readonly HeartOrigin Operator = new("key:operator");
    private readonly HeartSilo _silo = store.Silo;
    private readonly Verifier _verifier = store.Silo.Get<Verifier>();
    private readonly Guid _target = store.Silo.Keys.OfTarget("post");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (await store.RestoreAsync())
        {
            await _silo.ForgetAsync("post");
            await _silo.ForgetAsync("other");
        }
        else
        {
            await FillAsync();
            await store.KeepAsync();
        }

        (await VerifyAllAsync()).ShouldBe("");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Two targets; of one three of five versions are folded.</summary>
    private async Task FillAsync()
    {
        var post = _silo.Grains.GetGrain<IHeartGrain>("post");
        foreach (var user in (string[])["ann", "ben", "cid"]) await post.GiveAsync(user, new HeartOrigin("jwt", Network), Cancellation);
        await FoldAsync();
        await post.WithdrawAsync("ben", null, Cancellation);
        await post.GiveAsync("dan", null, Cancellation);
        await _silo.Target("other").GiveAsync("ann");
        await SealAsync();
    }

    [Theory]
    [InlineData("update heart_target set count = count + 5 where target = $target", "count")]
    [InlineData("update heart_target set version = version - 1 where target = $target", "count,grain,hearts")]
    [InlineData("update heart_target set target_id = 'another' where target = $target", "count")]
    [InlineData("delete from heart_target where target = $target", "count,hearts")]
    [InlineData("delete from heart_current where target = $target and version = 1", "hearts")]
    [InlineData("update heart_current set version = 3 where target = $target and version = 1", "hearts")]
    [InlineData("update heart_current set at_micros = at_micros + 1 where target = $target and version = 2", "hearts")]
    [InlineData("insert into heart_current (target, heart, version, at_micros) values ($target, $target, 2, 3)", "hearts")]
    public async Task VerifyTargetAsync_ProjectionsChanged_FindsAndMends(string sql, string kinds)
    {
        await _silo.ForgetAsync("post");
        await store.RunAsync(sql, _target);

        var found = await _verifier.VerifyTargetAsync(_target, null, null, Cancellation);
        var mended = await _verifier.VerifyTargetAsync(_target, null, Operator, Cancellation);

        var expected = kinds.Split(',');
        found.Findings.Select(finding => finding.Kind).Distinct().ShouldBeSubsetOf(["grain", .. expected]);
        found.Findings.Select(finding => finding.Kind).ShouldContain(expected[0] == "count" ? "count" : expected[^1]);
        found.IsRepaired.ShouldBeFalse();
        mended.IsRepaired.ShouldBeTrue();
        mended.Left.ShouldBeEmpty();
        (mended.Version, mended.Count).ShouldBe((5, 3));
        var state = await _silo.Target("post").ReadAsync("ben");
        (state.Count, state.Version, state.Hearted).ShouldBe((3, 5, false));
        await ShouldHaveDecidedAsync("repaired");
        await FoldAsync();
        await SealAsync();
        (await VerifyAllAsync()).ShouldBe("");
        (await _silo.Ledger.ListTopAsync(10, Cancellation)).ShouldBe([new TopTarget("post", 3, 5), new TopTarget("other", 1, 1)]);
    }

    [Fact]
    public async Task VerifyTargetAsync_OpeningChanged_IsFoundAndNotMended()
    {
        await _silo.Target("post").SetOpeningAsync(30);
        (await _verifier.VerifyTargetAsync(_target, null, null, Cancellation)).Findings.ShouldBeEmpty();
        await store.RunAsync("update heart_opening set opening = 31 where target = $target", _target);

        var found = await _verifier.VerifyTargetAsync(_target, null, Operator, Cancellation);

        found.Findings.Select(static finding => (finding.Kind, finding.Text)).ShouldBe([("opening", "the opening balance is 31 where 30 was decided")]);
        found.IsRepaired.ShouldBeFalse();
    }

    [Theory]
    [InlineData("delete from heart_rule where target = $target", "the target is neither frozen nor moved where frozen and moved was decided")]
    [InlineData("update heart_rule set frozen = 0 where target = $target", "the target is moved where frozen and moved was decided")]
    [InlineData("update heart_rule set moved_to = null, moved_key = null where target = $target", "the target is frozen where frozen and moved was decided")]
    [InlineData("update heart_rule set moved_to = 'mine' where target = $target", "the target is moved to another one than was decided")]
    [InlineData("update heart_rule set moved_key = target where target = $target", "the target is moved to another one than was decided")]
    [InlineData("update heart_rule set target_id = 'mine' where target = $target", "the target's rule has another target's name")]
    [InlineData("update heart_rule set reason = 'none' where target = $target", "the target's rule has another reason or time than was decided")]
    [InlineData("update heart_rule set at_micros = at_micros - 1 where target = $target", "the target's rule has another reason or time than was decided")]
    public async Task Verify_RuleOfATargetWithoutALogChanged_IsFoundAndNotMended(string sql, string text)
    {
        // By way of an old name; and one that was let go again, whose row stays.
        var target = _silo.Keys.OfTarget("ruled");
        await Rule("old").RedirectAsync("new", "a reason", Operator, Cancellation);
        await Rule("ruled").FreezeAsync(true, "a reason", Operator, Cancellation);
        await Rule("ruled").RedirectAsync("old", "another reason", Operator, Cancellation);
        await Rule("new").RedirectAsync("newest", "a reason", Operator, Cancellation);
        await Rule("free").FreezeAsync(true, "a reason", Operator, Cancellation);
        await Rule("free").FreezeAsync(false, "a reason", Operator, Cancellation);
        (await VerifyAllAsync()).ShouldBe("");
        await store.RunAsync(sql, target);

        (await VerifyAllAsync()).ShouldContain("rule");
        var found = await _verifier.VerifyTargetAsync(target, null, Operator, Cancellation);

        found.Findings.ShouldBe([new Finding("rule", "ruled", null, text)]);
        found.IsRepaired.ShouldBeFalse();
    }

    [Theory]
    [InlineData("delete from heart_block where user_key = $target", "the user of decision 2 is blocked for another time than was decided, or is not")]
    [InlineData("update heart_block set until_micros = until_micros + 1 where user_key = $target", "the user of decision 2 is blocked for another time than was decided, or is not")]
    [InlineData("update heart_block set until_micros = 9000000000000000 where user_key <> $target", "the user of decision 4 is blocked for another time than was decided, or is not; 1 users are blocked by no decision about them")]
    [InlineData("update heart_block set decided = decided + 1 where user_key = $target", "1 users are blocked by no decision about them")]
    [InlineData("insert into heart_block (user_key, until_micros, changed_micros, revision, decided) select moved_key, 9000000000000000, 1, 99, 2 from heart_rule", "1 users are blocked by no decision about them")]
    public async Task VerifyBlocksAsync_BlockedUsersChanged_IsFound(string sql, string expected)
    {
        var (desk, until) = (_silo.Grains.GetGrain<IModerationGrain>(0), TimeProvider.System.NowMicros() + 3_600_000_000);
        foreach (var to in (long[])[until, until + 1]) await desk.BlockAsync("ann", to, "a reason", Operator, Cancellation);
        foreach (var to in (long[])[until, 0]) await desk.BlockAsync("ben", to, "a reason", Operator, Cancellation);
        await Rule("old").RedirectAsync("new", "a reason", Operator, Cancellation);
        await SealAsync();
        (await VerifyAllAsync()).ShouldBe("");
        await store.RunAsync(sql, _silo.Keys.OfUser("ann").ToGuid());

        var found = (await _verifier.VerifyBlocksAsync(1, 1_000, Cancellation)).Findings;

        found.Select(static finding => finding.Kind).Distinct().ShouldBe(["rule"]);
        string.Join("; ", found.Select(static finding => finding.Text)).ShouldBe(expected);
    }

    [Fact]
    public async Task VerifyTargetAsync_RuleThatNobodyOrdered_IsFound()
    {
        await store.RunAsync("insert into heart_rule (target, target_id, frozen, reason, at_micros) values ($target, 'post', 1, 'a reason', 1)", _target);

        (await _verifier.VerifyTargetAsync(_target, null, null, Cancellation)).Findings.ShouldBe([new Finding("rule", "post", null, "the target is frozen where neither frozen nor moved was decided")]);
    }

    [Theory]
    [InlineData("update heart_event set at_micros = at_micros + 1 where target = $target and version = 4", "chain", "")]
    [InlineData("update heart_event set writer = writer + 1 where target = $target and version = 4", "chain", "")]
    [InlineData("update heart_event set actor = 'jwt' where target = $target and version = 4", "chain", "")]
    [InlineData("update heart_event set user_id = 'zoe' where target = $target and version = 4", "key", "key")]
    [InlineData("update heart_event set user_id = 'erased:nobody', network = null where target = $target and version = 1", "tombstone", "tombstone")]
    [InlineData("update heart_event set network = '198.51.100.0/24' where target = $target and version = 1", "key", "key")]
    [InlineData("update heart_event set network = null where target = $target and version = 1", "key", "key")]
    [InlineData("update heart_event set target_id = 'another' where target = $target and version = 1", "chain,key", "count,key")]
    [InlineData("delete from heart_event where target = $target and version = 2", "chain", "gap,order")]
    [InlineData("delete from heart_event where target = $target and version = 1", "chain", "gap")]
    [InlineData("delete from heart_event where target = $target and version = 5", "chain", "grain")]
    [InlineData("update heart_event set kind = 1 where target = $target and version = 4", "chain", "order")]
    [InlineData("update heart_seal set at_micros = at_micros + 1", "chain", "")]
    [InlineData("update heart_seal set hash = mac", "chain", "")]
    [InlineData("update heart_seal set mac = hash", "chain", "")]
    [InlineData("update heart_seal set number = number + 1000", "chain", "")]
    public async Task Verify_LogOrSealsChanged_IsFound(string sql, string inChain, string inTarget)
    {
        await store.RunAsync(sql, _target);

        var chain = await _verifier.VerifyBlocksAsync(1, 100, Cancellation);
        var target = await _verifier.VerifyTargetAsync(_target, "post", null, Cancellation);

        foreach (var kind in inChain.Split(',')) chain.Findings.Select(finding => finding.Kind).ShouldContain(kind);
        foreach (var kind in inTarget.Split(',', StringSplitOptions.RemoveEmptyEntries)) target.Findings.Select(finding => finding.Kind).ShouldContain(kind);
        if (inTarget.Length == 0) target.Findings.ShouldBeEmpty();
        chain.Findings.Concat(target.Findings).ShouldAllBe(finding => !finding.Text.Contains("zoe"));
    }

    [Fact]
    public async Task VerifyBlocksAsync_RowAddedBehindTheSeals_IsFound()
    {
        await store.RunAsync("insert into heart_event (target, heart, version, writer, at_micros, kind, user_id) select target, heart, 6, 1, 1, 2, user_id from heart_event where target = $target and version = 5", _target);
        await store.RunAsync(store.MoveToFirst, _target);

        (await _verifier.VerifyBlocksAsync(1, 100, Cancellation)).Findings.Select(finding => finding.Kind).ShouldContain("chain");
    }

    [Fact]
    public async Task CheckKeptAsync_LogCutAtItsEnd_IsFoundByTheKeptHead()
    {
        var first = (await _verifier.FindHeadAsync(Cancellation))!;
        await _silo.Target("post").GiveAsync("eve");
        await SealAsync();
        var kept = (await _verifier.FindHeadAsync(Cancellation))!;
        (await _verifier.CheckKeptAsync(kept, Cancellation)).ShouldBeNull();
        await store.RunAsync($"delete from heart_seal where number > {first.Number}", _target);
        await store.RunAsync("delete from heart_event where target = $target and version = 6", _target);

        // Without the head nobody could tell.
        (await _verifier.VerifyBlocksAsync(1, 100, Cancellation)).Findings.ShouldBeEmpty();
        (await _verifier.CheckKeptAsync(kept, Cancellation))!.Kind.ShouldBe("chain");
        (await _verifier.CheckKeptAsync(first with { Hash = new byte[32] }, Cancellation))!.Kind.ShouldBe("chain");
        (await _verifier.CheckKeptAsync(first, Cancellation)).ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"action":"erasing","receipt":"r1"}""", "r1", "")]
    [InlineData("""{"action":"erased","receipt":"r2","rows":2}""", "r2", "")]
    [InlineData("""{"action":"erased","receipt":"r3","rows":3}""", "r3", "tombstone")]
    [InlineData("""{"action":"frozen","receipt":"r4"}""", "r4", "tombstone")]
    public async Task Verify_UserForgotten_IsWellIfItWasDecided(string detail, string receipt, string kinds)
    {
        await _silo.Get<IEventLog>().DecideAsync(new Decision(1, 1, null, "", default, Operator with { Job = receipt }, 0, detail), Cancellation);
        await store.RunAsync($"update heart_event set user_id = 'erased:{receipt}', network = null where target = $target and version in (2, 4)", _target);
        await SealAsync();

        (await VerifyAllAsync()).ShouldBe(kinds);
    }

    [Fact]
    public async Task VerifyTargetAsync_RivalWroteBehindTheGrainsBack_MakesItReadAgainAndIsWell()
    {
        await _silo.Target("post").ReadAsync();
        await _silo.Ledger.CommitAsync(new HeartEvent(_target, 6, "post", _silo.Keys.OfHeart(_target, "eve"), "eve", HeartEventKind.Given, 1_750_000_000_000_000, 99));

        var report = await _verifier.VerifyTargetAsync(_target, "post", null, Cancellation);

        report.Findings.ShouldBeEmpty();
        (await _silo.Target("post").ReadAsync()).Count.ShouldBe(4);
    }

    [Fact]
    public async Task VerifyTargetAsync_WhileHeartsAreGiven_FindsNothing()
    {
        using var stop = new CancellationTokenSource();
        var givers = Enumerable.Range(0, 4).Select(giver => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await _silo.Target("post").GiveAsync($"u{giver}_{i % 50}");
                if (i % 3 == 0) await _silo.Target("post").WithdrawAsync($"u{giver}_{i % 50}");
            }
        })).ToArray();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                var report = await _verifier.VerifyTargetAsync(_target, "post", null, Cancellation);
                report.Findings.ShouldBeEmpty();
                await _silo.Ledger.FoldAsync(100, Cancellation);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(givers);
        }
    }

    [Fact]
    public async Task VerifyWork_Everything_ComparesEachOnceAndMends()
    {
        await store.RunAsync("update heart_target set count = 77 where target = $target", _target);
        var desk = _silo.Grains.GetGrain<IJobDeskGrain>(0);
        var job = (await desk.StartAsync(new JobOrder(VerifyJob.Kind, "all", """{"repair":true}""", "key:operator", "203.0.113.0/24"), Cancellation)).Job!;
        await HeartSilo.UntilAsync(async () => (job = (await desk.ReadAsync(job.Id, Cancellation)).Job!).State != JobState.Running);

        var progress = JsonDocument.Parse(job.Progress).RootElement;
        (progress.GetProperty("agrees").GetBoolean(), progress.GetProperty("targets").GetInt64(), progress.GetProperty("events").GetInt64(), progress.GetProperty("repaired").GetInt64()).ShouldBe((false, 2, 6, 1));
        var finding = progress.GetProperty("findings").EnumerateArray().ShouldHaveSingleItem();
        (finding.GetProperty("kind").GetString(), finding.GetProperty("target_id").GetString()).ShouldBe(("count", "post"));
        finding.GetProperty("text").GetString().ShouldBe("the table has 77 hearts at version 3 where the log has 3");
        (await _silo.Ledger.ListTopAsync(1, Cancellation)).ShouldBe([new TopTarget("post", 3, 3)]);
        await ShouldHaveDecidedAsync("repaired");
        var repaired = (await _silo.Get<IEventLog>().ReadAsync(EventPosition.Start, long.MaxValue, new EventFilter(_target), 100, Cancellation)).Last(static logged => logged.Kind == HeartEventKind.Decided);
        (repaired.Origin, repaired.NetworkMac).ShouldBe((new HeartOrigin("key:operator", "203.0.113.0/24", Job: job.Id), _silo.Keys.OfNetwork(default, repaired.AtMicros, "203.0.113.0/24")));
    }

    private ITargetRuleGrain Rule(string targetId) => _silo.Grains.GetGrain<ITargetRuleGrain>(targetId);

    private async Task<string> VerifyAllAsync()
    {
        var chain = await _verifier.VerifyBlocksAsync(1, 1_000, Cancellation);
        var findings = chain.Findings.ToList();
        foreach (var target in await _silo.Get<IAuditStore>().ListTargetsAsync(Guid.Empty, 100, Cancellation))
            findings.AddRange((await _verifier.VerifyTargetAsync(target, null, null, Cancellation)).Findings);
        return string.Join(',', findings.Select(finding => finding.Kind).Distinct().Order());
    }

    private async Task ShouldHaveDecidedAsync(string action)
    {
        var decisions = await _silo.Get<IEventLog>().ReadAsync(EventPosition.Start, long.MaxValue, new EventFilter(_target), 100, Cancellation);
        var decision = decisions.Where(logged => logged.Kind == HeartEventKind.Decided).ShouldHaveSingleItem();
        decision.Detail!.ShouldContain($"\"action\":\"{action}\"");
        (decision.Origin.Actor, decision.About).ShouldBe(("key:operator", _target));
    }

    private async Task SealAsync()
    {
        var seals = _silo.Get<ISealStore>();
        using var chain = new EventChain(_silo.Keys);
        while (await seals.FindUnsealedAsync(Cancellation) is not null) await seals.SealAsync(4, 0, chain, 1_750_000_000_000_000, Cancellation);
    }

    // The horizon may be held back for a moment.
    private Task FoldAsync() => HeartSilo.UntilAsync(async () =>
    {
        await _silo.Ledger.FoldAsync(1000, Cancellation);
        return (await _silo.Ledger.LoadAsync(_target, 100, Cancellation)).Tail.Count == 0;
    });
}

public sealed class SqliteVerifierTests(SqliteDrift store) : VerifierTests(store), IClassFixture<SqliteDrift>;

public sealed class PostgresVerifierTests(PostgresDrift store) : VerifierTests(store), IClassFixture<PostgresDrift>;
