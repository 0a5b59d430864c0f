using System.Text;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Ledger;
using HeartGrains.Tests.Hearts;
using HeartGrains.Transfer;

namespace HeartGrains.Tests.Transfer;

public class HeartsCommandTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_BesideASiloThatRuns_CanBeImportedFromFileAndFromInput()
    {
        using var source = HeartStore.Sqlite();
        using var target = HeartStore.Sqlite();
        await using var silo = await HeartSilo.StartAsync(source);
        foreach (var user in (string[])["ann", "ben"]) await silo.Target("post").GiveAsync(user);
        var (file, first, second) = (Path.Combine(target.Data, "hearts.ndjson"), Path.Combine(target.Data, "first"), Path.Combine(target.Data, "second"));

        (await Commands.RunAsync(HeartsCommand.Export, $"--data={source.Data}", $"--file={file}")).ShouldBe("Exported 2 events.\n");
        using var output = new MemoryStream();
        await Commands.RunAsync(HeartsCommand.Export, Stream.Null, output, $"--data={source.Data}");

        output.ToArray().ShouldBe(await File.ReadAllBytesAsync(file, Cancellation));
        const string Told = "Imported 2 events. 1 targets with 2 hearts agree with their log.\n";
        (await Commands.RunAsync(HeartsCommand.Import, $"--data={first}", "--file", file)).ShouldBe(Told);
        (await Commands.RunAsync(HeartsCommand.Import, new MemoryStream(output.ToArray()), Stream.Null, $"--data={second}")).ShouldBe(Told);
        Directory.GetFiles(first).Select(Path.GetFileName).ShouldContain("heart.key");
    }

    [Fact]
    public async Task Export_ThatFails_LeavesNoFileAndCanBeRepeated()
    {
        using var target = HeartStore.Sqlite();
        var file = Path.Combine(target.Data, "hearts.ndjson");

        for (var turn = 0; turn < 2; turn++)
            (await Should.ThrowAsync<LedgerException>(ExportAsync)).Message.ShouldContain("There are no hearts");

        Directory.GetFiles(target.Data).ShouldBeEmpty();
        await File.WriteAllTextAsync(file, "another's", Cancellation);
        (await Should.ThrowAsync<StartException>(ExportAsync)).Message.ShouldContain("exists");
        (await File.ReadAllTextAsync(file, Cancellation)).ShouldBe("another's");

        Task<string> ExportAsync() => Commands.RunAsync(HeartsCommand.Export, "--data=/tmp/heartgrains-nowhere", $"--file={file}");
    }

    [Fact]
    public async Task Import_FileCutOff_TouchesNothing()
    {
        using var target = HeartStore.Sqlite();
        var file = Path.Combine(target.Data, "hearts.ndjson");
        await File.WriteAllTextAsync(file, "{\"line\":\"start\",\"format\":1,\"key\":\"k\"}\n", Cancellation);

        (await Should.ThrowAsync<LedgerException>(() => Commands.RunAsync(HeartsCommand.Import, $"--data={target.Data}", $"--file={file}"))).Message.ShouldContain("cut off");

        Directory.GetFiles(target.Data).ShouldBe([file]);
    }

    [Fact]
    public async Task Import_FolderWithTheHeadOfAnotherLog_IsRefused()
    {
        using var target = HeartStore.Sqlite();
        await File.WriteAllTextAsync(Path.Combine(target.Data, "heart.head"), $"7 {new string('a', 64)}\n", Cancellation);

        (await Should.ThrowAsync<StartException>(() => Commands.RunAsync(HeartsCommand.Import, new MemoryStream(), Stream.Null, $"--data={target.Data}"))).Message.ShouldContain("heart.head");

        Directory.GetFiles(target.Data).Select(Path.GetFileName).ShouldNotContain("hearts.db");
    }

    [Fact]
    public async Task Import_FolderOfAProgramThatRuns_IsRefused()
    {
        using var target = HeartStore.Sqlite();
        using var held = HeartGrains.Ledger.Sqlite.DataFolderLock.Take(target.Data);

        (await Should.ThrowAsync<StartException>(() => Commands.RunAsync(HeartsCommand.Import, $"--data={target.Data}"))).Message.ShouldContain("belongs to another running process");
    }

    [Fact]
    public async Task Backup_ThatFails_LeavesNoKeyAndCanBeMadeAgain()
    {
        using var source = HeartStore.Sqlite();
        using var target = HeartStore.Sqlite();
        await using (var silo = await HeartSilo.StartAsync(source)) await silo.Target("post").GiveAsync("ann");
        await File.WriteAllTextAsync(Path.Combine(source.Data, "heart.key"), "a key", Cancellation);

        // Where the copy is to be written something else is in the way.
        var inTheWay = Directory.CreateDirectory(Path.Combine(target.Data, "hearts.db.unfinished"));
        (await Should.ThrowAsync<LedgerException>(BackupAsync)).Message.ShouldContain("hearts.db.unfinished cannot be written");

        Directory.GetFiles(target.Data).ShouldBeEmpty();
        inTheWay.Delete();

        // Nor does it take what everybody may read from an attempt before.
        await File.WriteAllTextAsync(inTheWay.FullName, "half a copy", Cancellation);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(inTheWay.FullName, (UnixFileMode)0b110_100_100);
        (await BackupAsync()).ShouldContain("hearts.db and heart.key");
        Directory.GetFiles(target.Data).Select(Path.GetFileName).Order().ShouldBe(["heart.key", "hearts.db"]);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(target.Data, "hearts.db")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Task<string> BackupAsync() => Commands.RunAsync(HeartsCommand.Backup, $"--data={source.Data}", $"--to={target.Data}");
    }

    [Theory]
    [InlineData(HeartsCommand.Export, "There are no hearts", "--data=/tmp/heartgrains-nowhere")]
    [InlineData(HeartsCommand.Export, "Hearts of mode dev", "--mode=dev")]
    [InlineData(HeartsCommand.Export, "needs the address of its Postgres", "--mode=cluster")]
    [InlineData(HeartsCommand.Import, "hearts.ndjson", "--file=/tmp/heartgrains-nowhere/hearts.ndjson")]
    [InlineData(HeartsCommand.Import, "--file has no value", "--file")]
    [InlineData(HeartsCommand.Backup, "write --to=FOLDER", "--mode=single")]
    [InlineData(HeartsCommand.Backup, "pg_dump", "--mode=cluster", "--to=x")]
    public async Task Command_WhatCannotBeDone_IsToldInOneLine(string command, string message, params string[] args)
    {
        var told = (await Should.ThrowAsync<Exception>(() => Commands.RunAsync(command, args)));

        told.ShouldBeAssignableTo<Exception>().ShouldSatisfyAllConditions(
            () => (told is StartException or LedgerException).ShouldBeTrue(told.ToString()),
            () => told.Message.ShouldContain(message),
            () => told.Message.ShouldNotContain("\n"));
    }
}

/// <summary>Runs the commands within the test.</summary>
internal static class Commands
{
    private static readonly Role Gateway = new("gateway", "of a test", DefaultPort: 0, GatewayHosting.Features, static builder => builder.Build());

    public static Task<string> RunAsync(string command, params string[] args) => RunAsync(command, Stream.Null, Stream.Null, args);

    /// <summary>Returns what is told on standard error.</summary>
    public static async Task<string> RunAsync(string command, Stream input, Stream output, params string[] args)
    {
        var messages = new StringBuilder();
        await using (var writer = new StringWriter(messages) { NewLine = "\n" }) await HeartsCommand.RunAsync(command, Gateway, args, input, output, writer);
        return messages.ToString();
    }
}
