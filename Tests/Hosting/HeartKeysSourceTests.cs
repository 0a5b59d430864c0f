using HeartGrains.Hearts;
using HeartGrains.Hosting;

namespace HeartGrains.Tests.Hosting;

public sealed class HeartKeysSourceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");

    private string Data => Path.Combine(_folder.FullName, "data");

    private string KeyFile => Path.Combine(Data, "heart.key");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Find_SingleModeWithoutKey_MakesOneForItsOwnerOnlyAndKeepsIt()
    {
        var settings = new HostSettings { Mode = HostMode.Single, Data = Data };
        var first = HeartKeysSource.Find(settings);
        var secret = File.ReadAllText(KeyFile);

        secret.Trim().Length.ShouldBeGreaterThanOrEqualTo(32);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.GetUnixFileMode(Data).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        HeartKeysSource.Find(settings).Fingerprint.ShouldBe(first.Fingerprint);
        File.ReadAllText(KeyFile).ShouldBe(secret);
        Directory.GetFiles(Data).ShouldBe([KeyFile]);
        new HeartKeys(secret.Trim()).Fingerprint.ShouldBe(first.Fingerprint);
    }

    [Fact]
    public void Find_KeyConfigured_MakesNoFile()
    {
        var keys = HeartKeysSource.Find(new HostSettings { Mode = HostMode.Single, Data = Data, Key = "sixteen letters!" });

        keys.Fingerprint.ShouldBe(new HeartKeys("sixteen letters!").Fingerprint);
        Directory.Exists(Data).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("tooshort\n")]
    public void Find_KeyFileCutShort_IsRefused(string content)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(KeyFile, content);

        var message = Should.Throw<StartException>(() => HeartKeysSource.Find(new HostSettings { Mode = HostMode.Single, Data = Data })).Message;

        message.ShouldContain(KeyFile);
        message.ShouldContain("--key");
    }

    [Fact]
    public void Find_DataFolderUnusable_NamesTheSetting()
    {
        File.WriteAllText(Data, "a file where the folder should be");

        Should.Throw<StartException>(() => HeartKeysSource.Find(new HostSettings { Mode = HostMode.Single, Data = Data }))
            .Message.ShouldContain("--data");
    }

    [Fact]
    public void Find_DevModeTwice_MakesAnotherEachTime() =>
        HeartKeysSource.Find(new HostSettings { Mode = HostMode.Dev }).Fingerprint
            .ShouldNotBe(HeartKeysSource.Find(new HostSettings { Mode = HostMode.Dev }).Fingerprint);

    [Fact]
    public void Find_ClusterWithoutKey_SaysWhatToSet() =>
        Should.Throw<StartException>(() => HeartKeysSource.Find(new HostSettings { Mode = HostMode.Cluster }))
            .Message.ShouldContain("HeartGrains:Key, HEARTGRAINS__KEY, --key");
}
