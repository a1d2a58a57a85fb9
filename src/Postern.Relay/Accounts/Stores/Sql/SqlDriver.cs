using System.Data.Common;
using Postern.Relay.Accounts.Stores.Answers;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>One kind of database, as far as it differs from the others.</summary>
internal abstract class SqlDriver : IDisposable
{
    /// <summary>
    /// False where the database finds a name by another spelling of it, such as without its accents or with spaces behind it: then the
    /// answer must say whose account it is.
    /// </summary>
    public virtual bool ComparesExactly => true;

    /// <summary>A connection that is not open yet, from the pool where there is one.</summary>
    public abstract DbConnection Connect();

    /// <summary>Adds the parameter <see cref="SqlQuery.Parameter"/>.</summary>
    public abstract void AddUser(DbCommand command, string user);

    /// <summary>Makes the server ready for a command, where that is done apart.</summary>
    public virtual Task PrepareAsync(DbCommand command, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Runs a question where it may run: a database that blocks has its own places.</summary>
    public virtual Task<T> RunAsync<T>(Func<Task<T>> ask, CancellationToken ct) => ask();

    /// <summary>What a command hears of the end of its question.</summary>
    public virtual CancellationToken TokenOfCommands(CancellationToken ct) => ct;

    /// <summary>Ends a command at the token, where the command does not do so itself.</summary>
    public virtual CancellationTokenRegistration EndAt(DbConnection connection, CancellationToken ct) => default;

    /// <summary>
    /// What the database says, where it says nothing of what was asked for: the name may be a password. Null: not to be told.
    /// </summary>
    protected abstract string? TextOf(DbException e);

    /// <summary>What is wrong there, as far as somebody can be told what to do.</summary>
    protected abstract SqlFault FaultOf(DbException e);

    /// <summary>A connection of the pool was dead already: another one may do.</summary>
    public virtual bool WasDead(Exception e) => false;

    /// <summary>Connections of the pool are not to be used again: the server did not answer one in time.</summary>
    public virtual void Clear()
    {
    }

    /// <summary>Why there is no answer, for the audit trail.</summary>
    public string WhyNot(Exception e)
    {
        if (Unreachable.WhyNot(e) is { } why)
            return why;
        return e is IOException ? $"the connection ended: {e.GetType().Name}"
            : e is DbException fault ? $"{TextOf(fault) ?? $"it answers with an error ({CodeOf(fault)})"}{WhatToDo(FaultOf(fault))}"
            : $"a question threw {e.GetType().Name}";
    }

    public abstract void Dispose();

    private static string? WhatToDo(SqlFault fault) => fault switch
    {
        SqlFault.NoTable => ": the key 'query' names it; is it another database, or another name?",
        SqlFault.NoColumn => ": the key 'query' names it, and its tables have none of that name",
        SqlFault.NoStatement => ": mend the key 'query'",
        SqlFault.NoDatabase => ": the URI names it",
        SqlFault.NotLoggedIn => ": what this server logs in with there is the user of the URI and the key 'password'",
        SqlFault.MayNotRead => ": let the user of the URI read it (grant select)",
        _ => null,
    };

    private static string CodeOf(DbException e) => e.SqlState ?? e.GetType().Name;
}

/// <summary>What an operator can mend.</summary>
internal enum SqlFault
{
    Other,

    NoTable,

    NoColumn,

    /// <summary>The text of the query is none.</summary>
    NoStatement,

    NoDatabase,

    /// <summary>This server's own login there.</summary>
    NotLoggedIn,

    /// <summary>It has logged in, and has no right to read.</summary>
    MayNotRead,
}
