namespace Postern.Relay.Spool;

public enum SpoolCondition
{
    Writable,

    /// <summary>The reserve of free space is used up; clears by itself when space returns.</summary>
    Full,

    /// <summary>Writing or syncing failed; nothing more is accepted until a restart.</summary>
    Failed,
}
