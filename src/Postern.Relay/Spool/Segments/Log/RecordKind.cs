namespace Postern.Relay.Spool.Segments.Log;

/// <summary>What a record in the log says. The numbers are on disk and never change.</summary>
internal enum RecordKind : byte
{
    /// <summary>A piece of a message too long to be held in memory; counts only when a message names it.</summary>
    Chunk = 1,

    /// <summary>A whole message: envelope, state, and its content or where that lies.</summary>
    Message = 2,

    /// <summary>A newer delivery state of one message.</summary>
    State = 3,

    /// <summary>Messages that are no more.</summary>
    Removed = 4,

    /// <summary>The footer: nothing follows. Not in format 1.</summary>
    Sealed = 5,

    /// <summary>Which segments there were when this one was begun. Not in format 1.</summary>
    Segments = 6,
}
