/** Where the agent lives on a director. The agent's own CLI (`setup`, `teardown`) uses the same. */
export const installRoot = '/opt/signalbox'
export const currentLink = `${installRoot}/current`
export const agentProgram = `${currentLink}/signalbox`
/** Group `signalbox` may change, group `signalbox-view` may only read. */
export const agentSocket = '/run/signalbox/agent.sock'
export const viewSocket = '/run/signalbox/view.sock'
