using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Tests.Hearts;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Users;

/// <summary>Operations that run beside each other, or one after another about the same hearts.</summary>
public abstract partial class UserWorkTests
{
    private protected const string Merge = """{"reader":"reader:r","account":"ann"}""";

    [Fact]
    public async Task Erase_WhileAMergeIntoTheUserRuns_ForgetsWhatThatGivesToo()
    {
        await GiveAsync("reader:r", "mine");
        var gate = _silo.Ledger.Close();
        var merge = await StartAsync("merge-user", "reader:r\nann", Merge);
        await gate.Reached;

        // Of her the log has nothing yet.
        var erasure = await StartAsync("erase-user", "ann", """{"user_id":"ann"}""");
        await UntilAwaitingAsync(erasure.Id);
        gate.Open();

        (await EndAsync(merge)).Progress.ShouldBe("""{"moved":1,"already":0,"targets":1}""");
        (await EndAsync(erasure)).State.ShouldBe(JobState.Done);
        (await EventsAsync()).ShouldAllBe(logged => logged.UserId == "erased:" + erasure.Id);
        (await ReadAsync("mine")).ShouldBe((0, false));
        (await CompareAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Release_OfAReaderWhoIsAnAccountByNow_GivesToTheAccountAndCountsNobodyTwice()
    {
        await GiveAsync("reader:r", "mine", "both", "taken back");
        await GiveAsync("ann", "both");
        var quarantine = (await QuarantineAsync(null, "reader:r")).Id;
        (await EndAsync(await StartAsync("merge-user", "reader:r\nann", Merge))).Progress.ShouldBe("""{"moved":0,"already":0,"targets":0}""");
        await GiveAsync("ann", "taken back");
        await _silo.Target("taken back").WithdrawAsync("ann");

        await EndQuarantineAsync("release", quarantine);

        (await ReadAsync("mine")).ShouldBe((1, true));
        (await ReadAsync("both")).ShouldBe((1, true));
        (await ReadAsync("taken back")).ShouldBe((0, false));
        var told = (await Desk.QuarantineAsync(quarantine, Cancellation)).Quarantine!;
        (told.Held, told.Released, told.Skipped).ShouldBe((0, 1, 2));

        // All of it is hers, so all of it is forgotten with her.
        var erasure = await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));
        (await EventsAsync()).ShouldNotContain(logged => logged.UserId == "ann" || logged.UserId == "reader:r");
        erasure.Progress.ShouldStartWith("""{"hearts":2,""");
    }

    /// <summary>Until it waits for others, or ends without having done so.</summary>
    private protected async Task UntilAwaitingAsync(string id)
    {
        var jobs = _silo.Services.GetRequiredService<IJobStore>();
        await HeartSilo.UntilAsync(async () =>
            await jobs.FindAsync(id, Cancellation) is not { State: JobState.Running } job || job.Checkpoint?.Contains("\"awaited\":[\"", StringComparison.Ordinal) is true);
    }
}
