/** `192.0.2.10:*`: in an endpoint port 0 stands for every port, which people do not write as a number. */
export const shownEndpoint = (endpoint: string): string => endpoint.replace(/^(\[.*\]|[^:]+):0$/, '$1:*')
