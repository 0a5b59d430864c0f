using HeartGrains.Hosting;
using HeartGrains.Ledger.Sqlite;

namespace HeartGrains.Tests.Ledger;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("heart-lock-").FullName;

    [Fact]
    public void Take_FolderHeld_NamesItAndTheSwitch()
    {
        using var held = DataFolderLock.Take(_folder);

        var message = Should.Throw<StartException>(() => DataFolderLock.Take(_folder)).Message;

        message.ShouldContain($"{_folder} belongs to another running process");
        message.ShouldContain("--data");
    }

    [Fact]
    public void Take_FolderLetGo_IsTaken()
    {
        DataFolderLock.Take(_folder).Dispose();

        using var held = DataFolderLock.Take(_folder);
        held.Folder.ShouldBe(_folder);
    }

    [Fact]
    public void Take_FolderMade_IsItsOwnersOnly()
    {
        var folder = Path.Combine(_folder, "data");

        using var held = DataFolderLock.Take(folder);

        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void Take_FolderThatCannotBeMade_SaysWhy()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");

        Should.Throw<StartException>(() => DataFolderLock.Take(Path.Combine(file, "data"))).Message.ShouldContain("cannot be made, read or written");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
