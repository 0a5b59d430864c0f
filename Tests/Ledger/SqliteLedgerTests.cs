using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Moderation;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Tests.Ledger;

public sealed class SqliteLedgerTests : LastingLedgerTests
{
    private DirectoryInfo _folder = null!;

    [Fact]
    public async Task AppendAsync_AnotherProcessHoldsTheFile_IsRefusedAndWorksAfterwards()
    {
        var story = new Story("post_1");
        await using var other = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await other.OpenAsync(Cancellation);
        await using (var transaction = other.BeginTransaction())
            (await Ledger.AppendAsync(story.GiveMany("ann"))).ShouldBe(AppendOutcome.Refused);

        await AppendAsync([.. story.Log]);
    }

    [Theory]
    [InlineData("update heart_event set at_micros = 1")]
    [InlineData("update heart_event set user_id = 'zoe'")]
    [InlineData("update heart_event set user_id = 'erased:1', actor = 'x'")]
    [InlineData("delete from heart_event")]
    public async Task Log_Rewritten_IsRefused(string statement)
    {
        await AppendAsync(new Story("post_1").GiveMany("ann"));

        (await Should.ThrowAsync<SqliteException>(() => ExecuteAsync(statement))).Message.ShouldContain("append-only");

        await ExecuteAsync("update heart_event set user_id = 'erased:1', network = null");
    }

    [Fact]
    public async Task Log_RowReplacedByTheProgram_IsRefused()
    {
        await AppendAsync(new Story("post_1").GiveMany("ann"));
        await using var connection = ((SqliteLedger)Ledger).Open(1);
        await using var command = connection.CreateCommand();
        command.CommandText = "replace into heart_event select * from heart_event";

        (await Should.ThrowAsync<SqliteException>(() => command.ExecuteNonQueryAsync(Cancellation))).Message.ShouldContain("append-only");
    }

    /// <summary>Also in a folder that others may look into.</summary>
    [Fact]
    public async Task InitializeAsync_Files_AreTheirOwnersOnly()
    {
        await AppendAsync(new Story("post_1").GiveMany("ann"));

        var files = _folder.GetFiles("hearts.db*");
        files.Length.ShouldBe(3);
        foreach (var file in files)
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(file.FullName).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.Name);
    }

    [Fact]
    public async Task Moderation_FileIsBeingWritten_IsReadBeside()
    {
        var moderation = (IModerationStore)Ledger;
        await using var other = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await other.OpenAsync(Cancellation);
        await using var transaction = other.BeginTransaction();

        (await moderation.ReadBlocksAsync(0, 10, Cancellation)).ShouldBeEmpty();
        (await moderation.ListBlocksAsync(0, 0, 10, Cancellation)).ShouldBeEmpty();
        (await moderation.FindBlockAsync(new HeartId(1, 2), 0, Cancellation)).ShouldBeNull();
        (await moderation.FindRuleAsync(Guid.NewGuid(), Cancellation)).ShouldBeNull();
        (await moderation.FindQuarantineAsync("q", Cancellation)).ShouldBeNull();
        (await moderation.FindHoldAsync(Guid.NewGuid(), new HeartId(1, 2), Cancellation)).ShouldBeNull();
        (await moderation.ReadHeldAsync("q", 10, Cancellation)).ShouldBeEmpty();
        (await moderation.ReadHeldAsync("q", [new HeldHeart(Guid.NewGuid(), 1, new HeartId(1, 2))], Cancellation)).ShouldBeEmpty();
        (await moderation.ListHoldsAsync("ann", 10, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task InitializeAsync_StoreFromBeforeOrigins_IsMigratedAndKeepsItsHearts()
    {
        var story = new Story("post_1");
        _folder = _folder.CreateSubdirectory("before");
        await using (var connection = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false"))
        {
            await connection.OpenAsync(Cancellation);
            await using var transaction = connection.BeginTransaction();
            await Migration.ApplyAsync([.. Migration.In("HeartGrains.Ledger.Sqlite").Where(step => step.Number <= 2)], transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        var given = story.Give("ann");
        await ExecuteAsync(
            $"insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values (x'{Hex(given.Target)}', x'{Hex(given.Heart.ToGuid())}', 1, 1, {given.AtMicros}, 1, 'ann', 'post_1')");
        await ReopenAsync();

        await ShouldHoldAsync(story);
        await AppendAsync(story.Give("ben"));
        await FoldAllAsync();
        await ShouldBeFoldedAsync(story);
        _folder = _folder.Parent!;

        static string Hex(Guid id) => Convert.ToHexString(id.ToByteArray(bigEndian: true));
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    protected override IHeartLedger OpenLedger() => new SqliteLedger(_folder.FullName, new LedgerOptions(), NullLogger<SqliteLedger>.Instance);

    protected override async Task<bool> HasUnfoldedAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "select exists (select 1 from heart_event e, heart_fold f where e.seq > f.seq)";
        return await command.ExecuteScalarAsync(Cancellation) is 1L;
    }

    protected override Task PrepareStoreAsync()
    {
        _folder = Directory.CreateTempSubdirectory("heartgrains-test-");
        return Task.CompletedTask;
    }

    protected override Task RemoveStoreAsync()
    {
        _folder.Delete(recursive: true);
        return Task.CompletedTask;
    }
}
