using HeartGrains.Hosting;
using HeartGrains.Silo;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Hosting;

public sealed class BuiltInSettingsTests : IDisposable
{
    private const string Policies = "HeartGrains:RateLimits:Policies";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-settings-");

    [Theory]
    [InlineData(null, "user")]
    [InlineData("""{"HeartGrains":{"Port":1}}""", "user")]
    [InlineData("""{"HeartGrains":{"RateLimits":{"Policies":[{"Name":"mine"}]}}}""", null)]
    [InlineData("""{"HeartGrains":{"RateLimits":{"Policies":[]}}}""", null)]
    [InlineData("""{"HeartGrains":{"RateLimits":""", "user")]
    public void Load_ListInTheFileBeside_TakesThePlaceOfTheOneInside(string? beside, string? name)
    {
        if (beside is not null) File.WriteAllText(Path.Combine(_folder.FullName, "appsettings.json"), beside);
        var configuration = new ConfigurationBuilder();
        configuration.AddBuiltInSettings(SiloRole.Silo.Assembly, _folder.FullName);

        var built = configuration.Build();

        built[$"{Policies}:0:Name"].ShouldBe(name);
        built["Logging:LogLevel:Default"].ShouldBe("Information");
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
