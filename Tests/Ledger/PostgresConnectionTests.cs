using HeartGrains.Hosting;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Ledger;

public class PostgresConnectionTests
{
    [Theory]
    [InlineData("secret")]
    [InlineData("Host=x;Port=secret")]
    [InlineData("Host=x;Port=99999999999;Password=secret")]
    [InlineData("Host=x;secret=y")]
    [InlineData("Host=x;SSL Mode=secret")]
    [InlineData("Host=x;Minimum Pool Size=1000;Password=secret")]
    [InlineData("Database=secret")]
    public void Build_StringThatCannotBeRead_NamesTheSettingAndDoesNotTellIt(string connection)
    {
        var message = Should.Throw<StartException>(() => PostgresConnection.Build(connection, new LedgerOptions())).Message;

        message.ShouldContain("(ConnectionStrings:Postgres, CONNECTIONSTRINGS__POSTGRES, --postgres)");
        message.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("garbage", null, "(ConnectionStrings:Postgres, ")]
    [InlineData("Host=x", "garbage", "(ConnectionStrings:PostgresOwner, ")]
    public void AddLedger_StringThatCannotBeRead_IsRefusedBeforeAnythingStarts(string service, string? owner, string setting)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Postgres"] = service, ["ConnectionStrings:PostgresOwner"] = owner }).Build();

        Should.Throw<StartException>(() => new ServiceCollection().AddLedger(new HostSettings { Mode = HostMode.Cluster }, configuration)).Message.ShouldContain(setting);
    }
}
