using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Users;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The log as it concerns one user, on a reader's connection or on the writer's.</summary>
internal sealed class SqliteUsers(SqliteConnection connection)
{
    internal const string FindUserSql = "select user_id from heart_event where kind = 3 and heart = $heart and user_id <> '' order by version desc limit 1";

    public int Rename(string userId, string tombstone, IReadOnlyList<EventPosition> rows)
    {
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "update heart_event set user_id = $tombstone, network = null where target = $target and version = $version and user_id = $user";
        command.Parameters.AddWithValue("$tombstone", tombstone);
        command.Parameters.AddWithValue("$user", userId);
        var target = command.Parameters.Add("$target", SqliteType.Blob);
        var version = command.Parameters.Add("$version", SqliteType.Integer);
        var renamed = 0;
        foreach (var row in rows)
        {
            (target.Value, version.Value) = (row.Target.ToByteArray(bigEndian: true), row.Version);
            renamed += command.ExecuteNonQuery();
        }

        transaction.Commit();
        return renamed;
    }

    public UserTally Count(string userId, string job)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            select count(*) filter (where kind <> 3 or job is not $job), count(*) filter (where kind = 1 and job = $job), count(*) filter (where kind = 2 and job = $job)
              from heart_event where user_id = $user
            """;
        command.Parameters.AddWithValue("$user", userId);
        command.Parameters.AddWithValue("$job", job);
        using var row = command.ExecuteReader();
        row.Read();
        return new UserTally(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
    }

    public string? FindUser(HeartId user)
    {
        using var command = connection.CreateCommand();
        command.CommandText = FindUserSql;
        command.Parameters.AddWithValue("$heart", user.ToGuid().ToByteArray(bigEndian: true));
        return command.ExecuteScalar() as string;
    }
}
